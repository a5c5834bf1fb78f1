"""The one trainer of all networks that moseg trains: what it learns from is said by a task.

`task` is the contract that a network to be trained fulfils, `config` holds the settings, `run`
trains. `config` and `schedule` import no PyTorch.
"""
