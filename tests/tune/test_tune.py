import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mien import config as configs
from mien.errors import ConfigError, StoreError
from mien.tune import finish, page, study, trials, work, workers
from tests.tune.studies import SCORE, TOML, computed, study_config, without_training

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _computed(monkeypatch):
    without_training(monkeypatch)


def told():
    lines = []
    return lines, lambda text, stays: lines.append(text) if stays else None


def draws(found):
    return [trial.params for trial in found.trials]


def test_the_first_trial_is_the_defaults_and_the_best_is_found(tmp_path):
    wanted = study_config(tmp_path, 12)
    lines, tell = told()
    found = work.tune(wanted, tell)
    assert draws(found)[0] == wanted.space.defaults
    assert found.best.values[0] == max(trial.values[0] for trial in found.trials)
    assert len(found.trials) == len(lines) == 12
    assert found.names == ("expression7.accuracy",)
    assert {path.name for path in (tmp_path / "study/trials").iterdir()} == {
        f"{number:04d}" for number in range(12)
    }
    config = configs.load(tmp_path / "study/trials" / f"{found.best.number:04d}" / "config.toml")
    assert config == found.config(found.best)
    shares = found.importances[0]
    assert max(shares, key=shares.get) == "train.phases.0.lr"


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_a_study_that_was_stopped_goes_on_as_an_undisturbed_one(sampler, tmp_path):
    if sampler == "cmaes":
        pytest.importorskip("cmaes")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = work.tune(study_config(tmp_path / "a", 7, sampler=sampler, seed=3))
    for count in (4, 7, 7):
        parts = work.tune(study_config(tmp_path / "b", count, sampler=sampler, seed=3))
    assert draws(parts) == draws(whole)
    (tmp_path / "c").mkdir()
    other = work.tune(study_config(tmp_path / "c", 3, sampler=sampler, seed=4))
    assert draws(other)[0] == draws(whole)[0]
    assert draws(other)[1:] != draws(whole)[1:3]


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_hopeless_trials_are_ended_early_and_count(pruner, tmp_path):
    found = work.tune(study_config(tmp_path, 16, pruner=pruner, sampler="random"))
    pruned = [trial for trial in found.trials if trial.state.name == "PRUNED"]
    assert pruned
    assert len(found.trials) == 16
    assert found.best not in pruned
    run = tmp_path / "study/trials" / f"{pruned[0].number:04d}"
    assert len(trials.rows(run)) == pruned[0].last_step


def test_a_killed_worker_s_trial_is_run_again_from_where_it_was(tmp_path):
    study_config(tmp_path)
    code = f"""
import os, pathlib, signal, sys
import pytest
from tests.tune import studies
from mien.tune import trials, work
studies.without_training(pytest.MonkeyPatch())
folder = pathlib.Path({str(tmp_path)!r})
count = [0]
def killed(config, run, watch):
    count[0] += 1
    if count[0] < 3:
        return studies.computed(config, run, watch)
    def die(epoch, value):
        watch(epoch, value)
        if epoch == 2: os.kill(os.getpid(), signal.SIGKILL)
    studies.computed(config, run, die)
trials.trained = killed
work.tune(studies.study_config(folder))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == -9, done.stderr
    found = work.tune(study_config(tmp_path))
    killed, retried = (next(t for t in found.study.trials if t.number == n) for n in (2, 3))
    assert (killed.state.name, retried.state.name) == ("FAIL", "COMPLETE")
    assert workers.first_number(retried) == 2
    assert retried.params == killed.params
    assert len(found.trials) == 6
    assert "worker" in retried.user_attrs


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")
def test_a_worker_elsewhere_is_dead_when_its_heart_has_stopped(tmp_path):
    work.tune(study_config(tmp_path, 1))
    with study.quiet():
        there = study.begin(study_config(tmp_path, 2), [True], ["expression7.accuracy"])
        silent = there.ask()
        now = [0.0]
        stale = workers.StaleTrials(there, 60, lambda: now[0])
        stale.requeue()
        assert there.trials[silent.number].state.name == "RUNNING"
        now[0] = 61.0
        stale.requeue()
        states = [trial.state.name for trial in there.trials]
    assert states == ["COMPLETE", "FAIL", "WAITING"]


@pytest.mark.parametrize(
    "worker", ["", "elsewhere boot pid:[1] 1", workers.this_process()], ids=["unnamed", "elsewhere", "here"]
)
def test_a_worker_that_may_live_is_left_alone(worker):
    assert not workers._gone(worker)


def test_settings_that_cannot_be_are_told_and_count(tmp_path, monkeypatch):
    def refuses(config, run, watch):
        if config.model.shared["options"]["depth"] == 1:
            raise ConfigError("depth 1 cannot be")
        computed(config, run, watch)

    monkeypatch.setattr(trials, "trained", refuses)
    lines, tell = told()
    found = work.tune(study_config(tmp_path, 10, sampler="random"), tell)
    faults = [row["fault"] for row in found.as_dict()["trials"] if row["state"] == "impossible"]
    assert faults
    assert set(faults) == {"depth 1 cannot be"}
    assert len(found.trials) == 10
    assert any("depth 1 cannot be" in line for line in lines)


def test_what_the_defaults_fail_with_ends_the_study_and_they_are_tried_again(tmp_path, monkeypatch):
    def broken(*_):
        raise StoreError("nowhere.h5: no such store")

    monkeypatch.setattr(trials, "trained", broken)
    for _ in range(5):
        with pytest.raises(StoreError, match="no such store"):
            work.tune(study_config(tmp_path))
    monkeypatch.setattr(trials, "trained", computed)
    found = work.tune(study_config(tmp_path, 1))
    assert draws(found) == [found.settings.space.defaults]
    assert workers.first_number(found.best) == 0


def test_when_time_is_up_the_trial_under_way_is_kept(tmp_path):
    lines, tell = told()
    found = work.tune(study_config(tmp_path, 50, timeout=1e-9), tell)
    assert found.trials == []
    assert lines == ["time is up; the same command goes on"]
    (tmp_path / "study/study.db").unlink()
    clock = iter([0.0, 0.0, 0.5, *[2.0] * 1000])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work.time, "monotonic", lambda: next(clock))
        found = work.tune(study_config(tmp_path, 50, timeout=1.0))
    assert found.trials == []
    assert [trial.state.name for trial in found.study.trials] in (["FAIL", "WAITING"], ["WAITING"])


def test_ctrl_c_keeps_the_trial(tmp_path, monkeypatch):
    def stopped(config, run, watch):
        raise KeyboardInterrupt

    monkeypatch.setattr(trials, "trained", stopped)
    with pytest.raises(KeyboardInterrupt):
        work.tune(study_config(tmp_path))
    monkeypatch.setattr(trials, "trained", computed)
    found = work.tune(study_config(tmp_path, 2))
    assert workers.first_number(found.trials[0]) == 0


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")
def test_a_worker_waits_for_the_trials_of_others(tmp_path):
    work.tune(study_config(tmp_path, 1))
    with study.quiet():
        there = study.begin(study_config(tmp_path, 2), [True], ["expression7.accuracy"])
        other = there.ask()
        other.set_user_attr(workers.WORKER, "elsewhere boot pid:[1] 1")
        waits = []

        def tell(text, stays):
            if "waiting" in text:
                waits.append(text)
                there.tell(other.number, 0.5)

        found = work.tune(study_config(tmp_path, 2), tell)
    assert waits == ["waiting for 1 trial of other workers"]
    assert len(found.trials) == 2


def test_an_earlier_study_teaches_and_does_not_count(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    work.tune(study_config(tmp_path / "old", 4))
    found = work.tune(study_config(tmp_path / "new", 3, earlier=str(tmp_path / "old/study")))
    assert len(found.trials) == 3
    assert sum(study.EARLIER in trial.user_attrs for trial in found.study.trials) == 4
    assert found.trials[0].params == found.settings.space.defaults
    narrow = TOML.replace("low = 1e-5, high = 1e-1", "low = 0.2, high = 0.3").replace(
        "default = 1e-4", "default = 0.2"
    )
    (tmp_path / "narrow").mkdir()
    with pytest.raises(ConfigError, match="no finished trial has all of"):
        work.tune(study_config(tmp_path / "narrow", 3, text=narrow, earlier=str(tmp_path / "old/study")))
    with pytest.raises(ConfigError, match="--from nowhere: no such study"):
        work.tune(study_config(tmp_path / "narrow", 3, text=narrow, earlier="nowhere"))


def test_another_space_needs_another_folder(tmp_path):
    work.tune(study_config(tmp_path, 1))
    with pytest.raises(ConfigError, match=r"train\.batch_size\.high = 64, now 48; take another folder"):
        work.tune(study_config(tmp_path, 1, text=TOML.replace("high = 64", "high = 48")))
    work.tune(
        study_config(tmp_path, 1, text=TOML.replace("nowhere.h5", "elsewhere.h5"))
    )  # where the faces lie is no matter


@pytest.mark.parametrize(
    ("rest", "text"),
    [
        ({"sampler": "tpa"}, "unknown sampler 'tpa', did you mean 'tpe'"),
        ({"pruner": "mean"}, "unknown pruner 'mean'"),
        ({"objectives": ("score", "speed")}, "unknown objective 'speed'"),
        (
            {"objectives": ("score", "latency"), "pruner": "median"},
            "with several objectives no trial can be pruned",
        ),
        ({"objectives": ("score", "latency"), "sampler": "cmaes"}, "takes one objective"),
        ({"count": 0}, "--trials and --heartbeat must be 1 or more"),
    ],
)
def test_wrong_plans_are_refused(rest, text, tmp_path):
    with pytest.raises(ConfigError, match=text):
        work.tune(study_config(tmp_path, **rest))


def test_a_database_that_cannot_be_opened_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(study.time, "sleep", lambda _: None)
    with pytest.raises(ConfigError, match="cannot be opened as a study"):
        work.tune(study_config(tmp_path, storage=f"sqlite:///{tmp_path}/no/such/folder/study.db"))


def test_several_objectives_have_a_front(tmp_path, monkeypatch):
    cost = {1: 1.0, 2: 2.0, 3: 3.0}
    monkeypatch.setitem(
        trials.OBJECTIVES,
        "latency",
        lambda run, *_: cost[configs.load(run / "config.toml").model.shared["options"]["depth"]],
    )
    found = work.tune(study_config(tmp_path, 10, objectives=("score", "latency")))
    costs = [trial.values[1] for trial in found.front]
    assert costs == sorted(costs, reverse=True)
    assert found.front[0] is found.best
    assert {trial.number for trial in found.front} == {trial.number for trial in found.study.best_trials}
    paths = finish.write(found)
    assert len(paths) == 2 + len(found.front)
    assert "Front" in (tmp_path / "study/study.html").read_text()
    assert json.loads(json.dumps(found.as_dict()))["front"] == [trial.number for trial in found.front]


def test_the_page_and_the_best_configuration(tmp_path):
    found = work.tune(study_config(tmp_path, 12, pruner="median"))
    finish.write(found)
    html = (tmp_path / "study/study.html").read_text()
    for title in ("Best", "History", "What mattered", "Trials", "How it was searched", "Importance for"):
        assert title in html
    assert not re.search(r'(src|href)="(?!#|data:)', html)
    assert configs.load(tmp_path / "study/best.toml") == found.config(found.best)
    assert (tmp_path / "study/best.toml").read_text().startswith("# Trial ")


def test_a_page_without_a_trial_and_with_one(tmp_path):
    empty = work.tune(study_config(tmp_path, 1, timeout=1e-9))
    assert "No trial has been measured" in page.render(empty)
    assert finish.complete(empty) is None
    assert [path.name for path in finish.write(empty)] == ["study.html"]
    assert "trial 0" in page.render(work.tune(study_config(tmp_path, 1)))


def test_the_best_trial_becomes_a_run_once(tmp_path, monkeypatch):
    found = work.tune(study_config(tmp_path, 3))
    made = []

    def whole(config, run, resume):
        made.append(((run / "history.csv").exists(), config))
        (run / "config.toml").write_text(configs.dumps(config))
        (run / "report.html").write_text("")

    monkeypatch.setattr(finish, "train_model", whole)
    assert finish.complete(found) == finish.complete(found) == tmp_path / "study/best"
    assert made == [(True, found.config(found.best))]
    assert not (tmp_path / "study/.best").exists()
    with finish._alone(tmp_path / "study/.best.lock") as mine:
        (tmp_path / "study/best/report.html").unlink()
        assert mine
        assert finish.complete(found) is None


def test_a_folder_of_other_settings_is_trained_anew(tmp_path):
    run = tmp_path / "study/trials/0000"
    run.mkdir(parents=True)
    (run / "config.toml").write_text("task = 'affect'")
    (run / "leftover").touch()
    work.tune(study_config(tmp_path, 1))
    assert not (run / "leftover").exists()


def test_a_metric_that_is_never_defined_is_told(tmp_path, monkeypatch):
    def undefined(config, run, watch):
        computed(config, run, watch)
        if config.train.phases[0].lr != 1e-4:
            text = "\n".join(f"1,{epoch},nan" for epoch in (1, 2, 3))
            (run / "history.csv").write_text(f"phase,epoch,{SCORE.column}\n{text}\n")

    monkeypatch.setattr(trials, "trained", undefined)
    found = work.tune(study_config(tmp_path, 2))
    assert [row["fault"] for row in found.as_dict()["trials"]] == [
        None,
        "expression7.accuracy is never defined",
    ]
