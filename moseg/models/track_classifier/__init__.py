"""The track classifier of SegAnyMo (CVPR 2025), model `traj_oa_depth`: which tracks move.

`options` knows its variants and imports no PyTorch; `model` holds the network.
"""
