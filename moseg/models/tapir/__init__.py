"""TAPIR: tracking any point with per-frame initialization and temporal refinement.

Doersch et al., ICCV 2023, and BootsTAP (Doersch et al., 2024), whose weights it takes. The
attributes of the networks are named as in the official checkpoints.

A video is encoded once (`Tapir.encode`), any number of points is described on it
(`Tapir.query`) and followed through it (`Tapir.track`). Only the first step depends on the
video alone and only the last is costly, by the point; points never see each other, so the
size and order of their batches changes nothing but rounding.

Inside, tensors are time-major: [T, N, ...] for T frames and N points. A frame is then one
matrix for its correlations, and a step in time is a whole slab of memory away.
"""
