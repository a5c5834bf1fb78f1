"""`moseg eval`: scores of predicted masks, one command a protocol.

A protocol is imported when it is asked for, so that none waits for what another one needs.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from moseg.cli.evaluation_options import (
    Frames,
    Images,
    Method,
    Out,
    Pred,
    Protocols,
    Request,
    Sequences,
    SequencesOfTracks,
    Threshold,
    TracksHome,
    Truth,
    Workers,
    Worst,
)
from moseg.cli.evaluation_output import evaluate

app = typer.Typer(cls=Protocols, subcommand_metavar="PROTOCOL [OPTIONS]")


@app.callback(invoke_without_command=True)
def show_help(context: typer.Context) -> None:
    """Score predicted masks by the rules of a benchmark.

    moseg eval PROTOCOL --help tells the rules of a protocol.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("davis16")
def davis16(
    pred: Pred,
    gt: Truth,
    sequences: Sequences = None,
    frames: Frames = "davis16",
    out: Out = None,
    images: Images = None,
    worst: Worst = 8,
    workers: Workers = None,
    name: Method = None,
) -> None:
    """J and F of one foreground, as DAVIS-2016.

    Frames: all but the first and the last of each sequence.
    Foreground: every value above 0.
    Missing: a frame without a prediction counts as an empty mask.
    Void: none.
    Matching: frames by file name; there are no objects to match.
    """
    from moseg.evaluation.protocols.davis16 import evaluate_davis16

    request = Request(pred, gt, sequences, out, images, worst, workers, name)
    evaluate(request, partial(evaluate_davis16, frames=frames))


@app.command("davis16-moving")
def davis16_moving(
    pred: Pred,
    gt: Truth,
    sequences: Sequences = None,
    frames: Frames = "all-frames",
    out: Out = None,
    images: Images = None,
    worst: Worst = 8,
    workers: Workers = None,
    name: Method = None,
) -> None:
    """J and F of one foreground over 16 sequences whose object moves.

    Frames: all.
    Foreground: every value above 0.
    Missing: a frame without a prediction counts as an empty mask.
    Void: none.
    Matching: frames by file name; there are no objects to match.
    """
    from moseg.evaluation.protocols.davis16 import evaluate_davis16_moving

    request = Request(pred, gt, sequences, out, images, worst, workers, name)
    evaluate(request, partial(evaluate_davis16_moving, frames=frames))


@app.command("davis17-unsupervised")
def davis17_unsupervised(
    pred: Pred,
    gt: Truth,
    sequences: Sequences = None,
    out: Out = None,
    images: Images = None,
    worst: Worst = 8,
    workers: Workers = None,
    name: Method = None,
) -> None:
    """J and F of several objects, as the unsupervised task of DAVIS-2017.

    Frames: all.
    Objects: the ids in the first frame of the truth, and at most 20 predicted ids.
    Missing: a frame without a prediction counts as empty.
    Void: id 255 of the truth counts for nothing.
    Matching: one assignment for each sequence, the best in mean J&F.
    An object without a partner is scored against empty masks; predictions left
    over cost nothing.
    """
    from moseg.evaluation.protocols.davis17 import evaluate_davis17_unsupervised

    request = Request(pred, gt, sequences, out, images, worst, workers, name)
    evaluate(request, evaluate_davis17_unsupervised)


@app.command("davis17-moving")
def davis17_moving(
    pred: Pred,
    gt: Truth,
    sequences: Sequences = None,
    void_as_foreground: Annotated[
        bool,
        typer.Option(
            "--void-as-foreground",
            help="In the columns named all, void is foreground, as in published figures.",
        ),
    ] = False,
    out: Out = None,
    images: Images = None,
    worst: Worst = 8,
    workers: Workers = None,
    name: Method = None,
) -> None:
    """The same over 22 moving sequences, and with all objects as one foreground.

    Frames: all.
    Objects: as davis17-unsupervised; for columns named "all" there is one.
    Missing: a frame, or a whole sequence, without a prediction counts as empty.
    Void: id 255 of the truth counts for nothing.
    Matching: as davis17-unsupervised; none for the columns named "all".
    """
    from moseg.evaluation.protocols.davis17 import evaluate_davis17_moving

    request = Request(pred, gt, sequences, out, images, worst, workers, name)
    evaluate(request, partial(evaluate_davis17_moving, void_as_foreground=void_as_foreground))


@app.command("fbms")
def fbms(
    pred: Pred,
    gt: Truth,
    sequences: Sequences = None,
    frames: Annotated[
        Literal["all-frames", "mtnet"],
        typer.Option(help="Which annotated frames count for J and F."),
    ] = "all-frames",
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="F above which an object counts as found.")
    ] = 0.75,
    out: Out = None,
    images: Images = None,
    worst: Worst = 8,
    workers: Workers = None,
    name: Method = None,
) -> None:
    """J and F of one foreground, and precision and recall of regions, as FBMS-59.

    Frames: the annotated ones.
    Foreground: all but the background, which the truth alone decides.
    Missing: an annotated frame without a prediction counts as an empty mask.
    Void: none; in regions a pixel counts with its confidence, if it has one.
    Matching: frames by number; regions and predicted ids by one assignment for
    each sequence, the best in F; ids left over cost nothing.
    """
    from moseg.evaluation.protocols.fbms import evaluate_fbms

    request = Request(pred, gt, sequences, out, images, worst, workers, name)
    evaluate(request, partial(evaluate_fbms, frames=frames, threshold=threshold))


@app.command("segtrackv2")
def segtrackv2(
    pred: Pred,
    gt: Truth,
    sequences: Sequences = None,
    out: Out = None,
    images: Images = None,
    worst: Worst = 8,
    workers: Workers = None,
    name: Method = None,
) -> None:
    """J and F of one foreground, the union of all objects of SegTrack v2.

    Frames: all.
    Foreground: predictions above 0, the truth above 127.
    Missing: a frame without a prediction counts as an empty mask.
    Void: none.
    Matching: frames by file name, else in order; there are no objects to match.
    """
    from moseg.evaluation.protocols.segtrack import evaluate_segtrackv2

    request = Request(pred, gt, sequences, out, images, worst, workers, name)
    evaluate(request, evaluate_segtrackv2)


@app.command("ytvos18-m")
def ytvos18_m(
    pred: Pred,
    gt: Truth,
    sequences: Sequences = None,
    objects: Annotated[
        int, typer.Option(min=1, help="How many objects of a sequence count, by lowest id.")
    ] = 3,
    out: Out = None,
    images: Images = None,
    worst: Worst = 8,
    workers: Workers = None,
    name: Method = None,
) -> None:
    """J and F of the moving objects in 120 sequences of YouTube-VOS 2018.

    There is no official tool: these rules are ours.
    Frames: the annotated ones, all of them.
    Missing: an annotated frame without a prediction counts as empty.
    Refused: masks that start after the first annotated frame and go on beyond the
    last one, or the other way round; that start at 0 where the truth starts at 1;
    or are as many as the annotated frames under other names.
    Void: none.
    Matching: one assignment for each sequence, the best in mean J.
    An object without a partner is scored against empty masks; predictions left
    over cost nothing.
    """
    from moseg.evaluation.protocols.ytvos import evaluate_ytvos18_moving

    request = Request(pred, gt, sequences, out, images, worst, workers, name)
    evaluate(request, partial(evaluate_ytvos18_moving, objects=objects))


@app.command("vsod")
def vsod(
    pred: Pred,
    gt: Truth,
    sequences: Sequences = None,
    variant: Annotated[
        Literal["mtnet", "pysodmetrics"],
        typer.Option(help="As which tool: pysodmetrics stretches each map to 0..255 first."),
    ] = "mtnet",
    frames: Frames = "davis16",
    out: Out = None,
    images: Images = None,
    worst: Worst = 8,
    workers: Workers = None,
    name: Method = None,
) -> None:
    """MAE, F, E and S of grey maps of what is salient: 0 background, 255 foreground.

    Frames: all but the first and the last of each sequence.
    Missing: a frame without a prediction counts as an all-zero map.
    Void: none.
    Matching: frames by file name; there are no objects to match.
    Means are over frames, then videos; maxF and maxE are those of the mean curve.
    """
    from moseg.evaluation.protocols.vsod import evaluate_vsod

    request = Request(pred, gt, sequences, out, images, worst, workers, name)
    evaluate(request, partial(evaluate_vsod, variant=variant, frames=frames))


@app.command("tracks")
def labelled_tracks(
    pred: Annotated[Path, typer.Option(help="An output of moseg run or run_inference.py.")],
    gt: Truth,
    sequences: SequencesOfTracks = None,
    threshold: Threshold = 0.7,
    tracks: TracksHome = None,
    out: Out = None,
    workers: Workers = None,
    name: Method = None,
) -> None:
    """IoU, ROC and AUC of labelled tracks: which ones move, before any mask.

    Reads the working files of moseg run, which --clean keeps.
    Frames: those that tracks start from; a track moves on a truth above 0.
    Missing: frames without a truth and tracks hidden there are left out.
    Void: none.
    Matching: frames by file name; there are no objects to match.
    """
    from moseg.evaluation.protocols.tracks import evaluate_tracks

    request = Request(pred, gt, sequences, out, None, 0, workers, name)
    evaluate(request, partial(evaluate_tracks, threshold=threshold, tracks=tracks))
