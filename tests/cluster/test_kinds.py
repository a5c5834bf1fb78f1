"""Which sorts of workers a plan gets."""

from __future__ import annotations

from moseg.cluster.kinds import CPU_WORKERS, RESOLVE, kinds_of
from tests.cluster.toy_plans import plan_of, toy

FRAMES = toy("frames", cpus=2, memory_gb=1)
LABELS = toy("labels", "frames", cpus=1, memory_gb=5)
DEPTHS = toy("depths", "frames", cpus=3, memory_gb=4, gpu_memory_gb=10)
MASKS = toy("masks", "labels", "depths", cpus=1, memory_gb=2, gpu_memory_gb=6)


def test_stages_without_a_network_share_the_first_kind_which_also_resolves():
    cpu = kinds_of(plan_of(FRAMES, DEPTHS, LABELS))[0]
    assert cpu.name == CPU_WORKERS
    assert cpu.stages == (RESOLVE, "frames", "labels")
    assert cpu.gpu_gb == 0


def test_a_shared_worker_takes_what_the_hungriest_of_its_stages_takes():
    cpu = kinds_of(plan_of(FRAMES, LABELS, DEPTHS))[0]
    assert (cpu.cpus, cpu.memory_gb) == (2, 5)


def test_each_network_has_workers_of_its_own_with_one_core_beside_the_card():
    _, depths, masks = kinds_of(plan_of(FRAMES, DEPTHS, LABELS, MASKS, device="cuda:0"))
    assert (depths.name, depths.stages) == ("depths", ("depths",))
    assert (depths.cpus, depths.memory_gb, depths.gpu_gb) == (1, 4, 10)
    assert depths.threads == 3
    assert (masks.name, masks.stages, masks.gpu_gb) == ("masks", ("masks",), 6)


def test_networks_on_the_cpu_take_no_card_and_decode_for_themselves():
    kinds = kinds_of(plan_of(FRAMES, DEPTHS, MASKS))
    assert [kind.name for kind in kinds] == [CPU_WORKERS, "depths", "masks"]
    assert {kind.gpu_gb for kind in kinds} == {0}
    assert (kinds[1].cpus, kinds[1].threads) == (3, 3)


def test_a_plan_of_networks_alone_still_has_workers_that_resolve():
    cpu = kinds_of(plan_of(toy("depths", gpu_memory_gb=10), device="cuda:0"))[0]
    assert cpu.stages == (RESOLVE,)
    assert cpu.cpus > 0
