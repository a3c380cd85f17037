"""Several workers on one study, one of them killed in the middle of a trial: nothing finished is lost,
nothing is done twice.

Here trials are computed in a moment. `MIEN_LONG=1 pytest tests/tune/test_workers.py` also has `mien tune`
itself train them.
"""

import contextlib
import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import warnings

import pytest
from optuna.trial import TrialState
from sqlalchemy import event

from mien import config as configs
from mien.tune import study, trials, work, workers
from tests.tune import databases
from tests.tune.studies import computed, study_config, without_training

LIMIT = 300  # seconds until a test gives up
#: From one process with everything imported, a worker is started in a moment.
FORKS = multiprocessing.get_context("forkserver") if hasattr(os, "fork") else None
pytestmark = pytest.mark.skipif(FORKS is None, reason="kills processes as Unix does")


@pytest.fixture(params=["postgresql", "sqlite"])
def storage(request, tmp_path):
    """The address of a database, and how many workers it is given."""
    where = databases.postgresql() if request.param == "postgresql" else contextlib.nullcontext("")
    with where as address:
        yield address, 3 if address else 2


def worker(wanted):
    """Work on a study whose epochs take a while."""

    def slow(config, run, watch):
        def one(epoch, value):
            watch(epoch, value)
            time.sleep(0.15)

        computed(config, run, one)

    with pytest.MonkeyPatch.context() as patch:
        without_training(patch)
        patch.setattr(trials, "trained", slow)
        work.tune(wanted)


def test_one_of_several_workers_is_killed(storage, tmp_path):
    address, crew = storage
    (tmp_path / "study").mkdir()
    wanted = study_config(tmp_path, 9, storage=address)
    FORKS.set_forkserver_preload(["tests.tune.studies"])
    hands = [FORKS.Process(target=worker, args=(wanted,)) for _ in range(crew)]
    for hand in hands:
        hand.start()
    with watched(address or f"{tmp_path}/study/study.db") as look:
        kept = kill_mid_trial(look, lambda: all(hand.exitcode is None for hand in hands))
        for hand in hands:
            hand.join(LIMIT)
        assert sorted(hand.exitcode for hand in hands) == [-signal.SIGKILL] + [0] * (crew - 1)
        check(look(), kept, 9, crew, tmp_path / "study")


def until(commit, wanted):
    """Work on a study and be killed right before the so-many-th change to its database."""

    def dying(*where):
        opened = storage(*where)
        event.listen(opened.engine, "commit", lambda _: next(left) or os.kill(os.getpid(), signal.SIGKILL))
        return opened

    left = itertools.chain(itertools.repeat(1, commit), itertools.repeat(0))
    with pytest.MonkeyPatch.context() as patch:
        without_training(patch)
        storage = study._storage
        patch.setattr(study, "_storage", dying)
        work.tune(wanted)


def test_killed_at_any_change_to_its_database_a_study_ends_as_if_undisturbed(tmp_path):
    FORKS.set_forkserver_preload(["tests.tune.studies"])
    ends, numbers = [], []
    # In the making of the study, while values are drawn, in a trial, and in the next while the first is
    # buried.
    for kills in ((), (16,), (20, 13), (31,), (51, 14), (54,), (83, 15, 16)):
        folder = tmp_path / "-".join(map(str, ("killed", *kills)))
        folder.mkdir()
        wanted = study_config(folder, 3, heartbeat=1)
        for commit in kills:
            hand = FORKS.Process(target=until, args=(commit, wanted))
            hand.start()
            hand.join(LIMIT)
            assert hand.exitcode == -signal.SIGKILL
        with pytest.MonkeyPatch.context() as patch:
            without_training(patch)
            found = work.tune(wanted)
        done = sorted(found.trials, key=workers.first_number)
        ends.append([(workers.first_number(one), one.params, one.values) for one in done])
        numbers.append(len(found.study.get_trials()))
    assert len(ends[0]) == 3
    assert ends[1:] == [ends[0]] * (len(ends) - 1)
    assert numbers[0] == 3 < min(numbers[2:])


@pytest.fixture
def failed(tmp_path):
    """A study with a trial that its worker marked failed and did not queue again, and who has seen it."""
    with pytest.MonkeyPatch.context() as patch:
        without_training(patch)
        work.tune(study_config(tmp_path, 1))
        with study.quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of heartbeats, which are for trials that run
            there = study.begin(study_config(tmp_path, 2), [True], ["expression7.accuracy"])
            there.tell(there.ask(), state=TrialState.FAIL)
            now = [0.0]
            yield there, workers.StaleTrials(there, 60, lambda: now[0]), now


def states(there):
    return [trial.state.name for trial in there.trials]


def test_a_trial_that_nobody_queued_again_is_queued_once(failed):
    there, stale, now = failed
    stale.requeue()
    assert states(there) == ["COMPLETE", "FAIL"]  # its worker may be about to
    now[0] = 61.0
    stale.requeue()
    stale.requeue()
    workers.queue_again(there, there.trials[1])
    assert states(there) == ["COMPLETE", "FAIL", "WAITING"]
    assert workers.first_number(there.trials[2]) == 1


def test_a_worker_that_died_before_it_queued_a_trial_is_noticed_at_once(failed, monkeypatch):
    there, stale, _ = failed
    dead = f"{workers.this_process().rpartition(' ')[0]} 0"
    monkeypatch.setattr(workers, "is_running", lambda process: process != 0)
    trial = there.ask()
    for key in (workers.WORKER, workers._HEIR):
        trial.set_user_attr(key, dead)
    there.tell(trial, state=TrialState.FAIL)
    stale.requeue()
    assert states(there) == ["COMPLETE", "FAIL", "FAIL", "WAITING"]
    assert there.trials[3].user_attrs == {}


def test_what_two_workers_queued_at_once_is_run_once(failed, tmp_path):
    there, stale, now = failed
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "_repeated", lambda _: set())
        workers.queue_again(there, there.trials[1])
        workers.queue_again(there, there.trials[1])
    assert states(there) == ["COMPLETE", "FAIL", "WAITING", "WAITING"]
    with pytest.MonkeyPatch.context() as patch:
        without_training(patch)
        found = work.tune(study_config(tmp_path, 3))
    assert states(there) == ["COMPLETE", "FAIL", "COMPLETE", "FAIL", "COMPLETE"]
    assert [workers.first_number(trial) for trial in found.trials] == [0, 1, 2]
    now[0] = 200.0
    stale.requeue()
    assert len(states(there)) == 5


def test_settings_that_cannot_be_are_not_tried_again_by_who_finds_them_half_told(failed):
    there, _, _ = failed
    trial = there.ask()
    trial.set_user_attr(workers.FAULT, "no")
    workers.queue_again(there, there.tell(trial, state=TrialState.FAIL))
    assert states(there) == ["COMPLETE", "FAIL", "FAIL"]


@pytest.mark.skipif("MIEN_LONG" not in os.environ, reason="takes a minute or two; MIEN_LONG=1 runs it")
def test_one_of_several_commands_is_killed(storage, tiny, tmp_path):
    address, crew = storage
    text = configs.dumps(tiny(phases=[{"epochs": 6, "lr": 0.0125}]))
    (tmp_path / "study").mkdir()
    (tmp_path / "tiny.toml").write_text(
        text.replace("lr = 0.0125", "lr = {low = 1e-3, high = 1e-1, log = true}")
    )
    words = [
        sys.executable,
        "-m",
        "mien",
        "tune",
        "tiny.toml",
        "--trials",
        "9",
        "--out",
        "study",
        "--no-best",
    ]
    words += ["--storage", address] * bool(address)
    hands = [subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True) for _ in range(crew)]
    with watched(address or f"{tmp_path}/study/study.db") as look:
        kept = kill_mid_trial(look, lambda: all(hand.poll() is None for hand in hands))
        said = [hand.communicate(timeout=LIMIT)[1] for hand in hands]
        assert sorted(hand.returncode for hand in hands) == [-signal.SIGKILL] + [0] * (crew - 1), said
        check(look(), kept, 9, crew, tmp_path / "study")


@contextlib.contextmanager
def watched(address):
    """A look at the trials of the one study in a database: none while it is not there."""
    with study.quiet():
        storage = study._storage(address)

        def look():
            found = storage.get_all_studies()
            return storage.get_all_trials(found[0]._study_id) if found else []

        yield look
        storage.remove_session()
        storage.engine.dispose()


def kill_mid_trial(look, working):
    """Kill the first worker that has an epoch of its second trial or a later one; return what was finished
    before."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline and working():
        found = look()
        owners = [one.user_attrs.get(workers.WORKER) for one in found]
        for one, owner in zip(found, owners, strict=True):
            if not one.state.is_finished() and one.intermediate_values and owners.count(owner) > 1:
                os.kill(int(owner.split()[-1]), signal.SIGKILL)
                return [other for other in found if other.state.is_finished()]
        time.sleep(0.03)
    raise AssertionError("no worker got to its second trial")


def check(found, kept, count, crew, folder):
    """All finished trials are there, the killed one failed and was tried again, and each has been trained
    once."""
    assert [one.values for one in kept] == [found[one.number].values for one in kept]
    done = [one for one in found if one.state.name in ("COMPLETE", "PRUNED")]
    numbers = [workers.first_number(one) for one in done]
    assert (
        count <= len(done) < count + crew
    )  # workers that start their last trials at the same moment overshoot
    assert len(set(numbers)) == len(numbers)
    (failed,) = (one for one in found if one.state.name == "FAIL")
    (again,) = (one for one in done if workers.first_number(one) == failed.number and one is not failed)
    assert again.params == failed.params
    assert again.user_attrs[workers.WORKER] != failed.user_attrs[workers.WORKER]
    assert not [one for one in found if not one.state.is_finished()]
    for number in numbers:
        epochs = [int(row["epoch"]) for row in trials.rows(folder / "trials" / f"{number:04d}")]
        assert epochs == list(range(1, len(epochs) + 1))
    assert len({one.user_attrs[workers.WORKER] for one in done}) > 1
