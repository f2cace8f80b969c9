"""What to try next, and what to give up early: optuna's sampler and pruner over the trials that are remembered.

The only module that imports optuna, and only when a proposal is wanted. No state of its own: the study is made anew
from the stored trials each time, so a search goes on after a crash as if nothing had happened, and the same trials
with the same seed give the same proposal.

Sampler: the tree-structured Parzen estimator (Bergstra et al. 2011). Pruner: the median rule (Golovin et al. 2017): a
trial ends when its best loss so far is above the median of what earlier trials had at the same check.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from studio.domain.search_space import Dimension, Setting, Settings
from studio.domain.searches import Search, Trial, TrialState, goes_together

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

_ASKED_AT_MOST = 200  # proposals in a row that are no use: then nothing new is left
_FEW, _MANY = 3, 10  # trials drawn at random before the estimator is believed; about a third of the budget
_JUDGED_FROM_TRIAL, _JUDGED_FROM_CHECK = 3, 2  # nothing is pruned before


def propose(search: Search) -> Settings | None:
    """Settings that were not tried yet; None when none are left. The first are those of the search's own plan."""
    tried = [trial.settings for trial in search.trials]
    own = _own_settings(search)
    if not tried and own is not None:
        return own
    study, space = _study(search), _distributions(search)
    for _attempt in range(_ASKED_AT_MOST):
        asked = study.ask(space)
        found = {name: _plain(search.space[name], value) for name, value in asked.params.items()}
        if found not in tried and goes_together(search, found):
            return found
        study.tell(asked, state=_states()[TrialState.FAILED])
    return None


def should_end(search: Search, trial: Trial) -> bool:
    """Whether the trial under way stands worse than most at its newest check."""
    from optuna.pruners import MedianPruner

    study = _study(search)
    pruner = MedianPruner(n_startup_trials=_JUDGED_FROM_TRIAL, n_warmup_steps=_JUDGED_FROM_CHECK)
    return bool(trial.checks) and pruner.prune(study, _frozen(search, trial))


def _study(search: Search) -> Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    startup = min(_MANY, max(_FEW, (search.budget.trials or 3 * _MANY) // 3))
    sampler = optuna.samplers.TPESampler(seed=search.seed + len(search.trials), n_startup_trials=startup)
    study = optuna.create_study(direction="minimize", sampler=sampler)
    ended = [trial for trial in search.trials if trial.state is not TrialState.RUNNING]
    study.add_trials([_frozen(search, trial) for trial in ended])
    return study


def _frozen(search: Search, trial: Trial) -> FrozenTrial:
    from optuna.trial import create_trial

    space = _distributions(search)
    checks = {number: value for number, value in enumerate(trial.checks) if math.isfinite(value)}
    return create_trial(
        state=_states()[trial.state], value=trial.value if trial.state is TrialState.DONE else None,
        params=dict(trial.settings), distributions={name: space[name] for name in trial.settings},
        intermediate_values=checks,
    )  # fmt: skip


def _states() -> dict[TrialState, Any]:
    from optuna.trial import TrialState as Theirs

    return {
        TrialState.RUNNING: Theirs.RUNNING, TrialState.DONE: Theirs.COMPLETE, TrialState.PRUNED: Theirs.PRUNED,
        TrialState.FAILED: Theirs.FAIL,
    }  # fmt: skip


def _distributions(search: Search) -> dict[str, BaseDistribution]:
    return {name: _distribution(dimension) for name, dimension in search.space.items()}


def _distribution(dimension: Dimension) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if dimension.choices:
        return CategoricalDistribution(dimension.choices)
    if dimension.whole:
        return IntDistribution(
            int(dimension.low), int(dimension.high), log=dimension.log, step=dimension.step
        )
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def _plain(dimension: Dimension, value: Setting) -> Setting:
    """Numbers with the digits that count, so that they can be read and typed."""
    if isinstance(value, float) and not dimension.choices:
        return min(max(float(f"{value:.4g}"), dimension.low), dimension.high)
    return value


def _own_settings(search: Search) -> Settings | None:
    """What the plan has, when the space holds it."""
    own: Settings = {name: getattr(search.plan.spec, name) for name in search.space}
    fits = all(dimension.holds(own[name]) for name, dimension in search.space.items())
    return own if fits and goes_together(search, own) else None
