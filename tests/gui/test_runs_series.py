"""Thinning and smoothing of many points keep what the eye would see."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.gui.widgets.plots_series import Series, Smoothed, running_mean, sample, thin
from studio.gui.widgets.plots_spark import SPARK_POINTS, spark_points


def series_of(count: int) -> Series:
    made = Series()
    noise = np.random.default_rng(1).normal(size=count)
    made.replace(list(range(count)), list(noise))
    return made


def test_thinning_keeps_every_spike() -> None:
    made = series_of(100_000)
    made.y[61_803] = 50.0
    made.y[31_415] = -50.0
    x, y = thin(made.x, made.y, 0, 100_000, 500)
    assert len(x) <= 2 * 500 + 400
    assert (y.max(), y.min()) == (50.0, -50.0)
    assert (np.diff(x) > 0).all()


def test_a_close_look_shows_every_point() -> None:
    made = series_of(100_000)
    x, _y = thin(made.x, made.y, 500, 600, 500)
    assert x[0] <= 500
    assert x[-1] >= 600
    assert len(x) >= 101


def test_thinned_points_stand_still_while_the_series_grows() -> None:
    made = series_of(90_000)
    before, _y = thin(made.x, made.y, 0, 200_000, 500)
    made.append(90_000, 0.0)
    after, _y = thin(made.x, made.y, 0, 200_000, 500)
    assert len(set(before) - set(after)) <= 2


def test_sampling_keeps_both_ends() -> None:
    made = series_of(1000)
    x, _y = sample(made.x, made.y, 0, 1000, 50)
    assert (x[0], x[-1]) == (0, 999)
    assert len(x) <= 60


def test_nothing_is_thinned_out_of_nothing() -> None:
    empty = Series()
    assert len(thin(empty.x, empty.y, 0, 1, 10)[0]) == 0
    assert len(sample(empty.x, empty.y, 0, 1, 10)[0]) == 0
    assert empty.nearest(3) is None


@settings(deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=300), st.floats(0.01, 0.99))
def test_the_running_mean_is_the_one_of_the_textbook(values: list[float], amount: float) -> None:
    total = weight = 0.0
    wanted = []
    for value in values:
        total, weight = amount * total + value, amount * weight + 1
        wanted.append(total / weight)
    np.testing.assert_allclose(running_mean(np.array(values), amount), wanted, rtol=1e-7, atol=1e-7)


def test_steps_done_again_after_a_resume_replace_the_lost_ones() -> None:
    made = Series()
    for step in range(1, 11):
        made.append(step, 1.0)
    made.append(6, 9.0)
    made.append(7, 9.0)
    assert list(made.x) == [1, 2, 3, 4, 5, 6, 7]
    assert list(made.y[-2:]) == [9.0, 9.0]


def test_a_missing_loss_leaves_a_gap_but_no_hole_in_the_mean() -> None:
    made = Series()
    for step, loss in enumerate([None, 2.0, None, 4.0]):
        made.append(step, loss)
    assert np.isnan(made.y).tolist() == [True, False, True, False]
    assert np.isfinite(Smoothed(made, 0.5).values()).all()


def test_the_nearest_point_is_found() -> None:
    made = Series()
    made.replace([10, 20, 40], [1, 2, 3])
    assert [made.nearest(x) for x in (-5, 14, 16, 29, 31, 99)] == [0, 0, 1, 1, 2, 2]


def test_a_spark_line_is_short_and_follows_the_loss() -> None:
    points = spark_points([3 - step / 1000 for step in range(2000)])
    assert len(points) == SPARK_POINTS
    assert points[0] > points[-1]
    assert spark_points([None, None]) == ()
