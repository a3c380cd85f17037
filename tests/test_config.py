"""Configurations: what is read, what is refused and in which words, overrides, and the way back to TOML."""

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien import choices, config, tables
from mien.config import AugmentConfig, Config, DataConfig, ModelConfig, PhaseConfig, TrainConfig
from mien.errors import ConfigError
from mien.tables import Bounds
from mien.tasks import TASKS, Kind


def written(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def fault(folder: Path, text: str, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config.load(written(folder, text), overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert config.load(written(tmp_path, "")) == Config()
    assert Config().resolved_task() == TASKS["expression7"]


def test_a_file_is_read(tmp_path: Path) -> None:
    text = """
    task = "affect"
    [data]
    store = "faces.h5"
    [model]
    backbone = "resnet18"
    mean = [0.5]
    std = [0.25]
    options = { width = 32, nested = { deep = [1, 2] } }
    [heads.expression8]
    loss = "focal"
    [[train.phases]]
    epochs = 2
    frozen = true
    [[train.phases]]
    lr = 1
    """
    read = config.load(written(tmp_path, text))
    assert read.data == DataConfig(store="faces.h5")
    (face,) = read.model.all_inputs
    assert (face.name, face.encoder, face.region) == ("face", "resnet18", "region")
    assert (face.transform["mean"], face.transform["std"]) == ([0.5], [0.25])
    assert face.options == read.model.shared["options"] == {"width": 32, "nested": {"deep": [1, 2]}}
    assert read.train.phases == (PhaseConfig(epochs=2, frozen=True), PhaseConfig(lr=1.0))
    assert read.resolved_task().head("expression8").loss == (("focal", 1.0),)


def test_a_task_declared_in_the_file(tmp_path: Path) -> None:
    text = '[task]\nname = "mood"\n[[task.heads]]\nname = "mood"\nkind = "tags"\nlabels = ["up", "down"]\n'
    task = config.load(written(tmp_path, text)).resolved_task()
    assert task.head("mood").kind is Kind.TAGS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[train]\nseeds = 3",
            "unknown key 'train.seeds', did you mean 'seed'? (allowed: seed, batch_size, ",
        ),
        ("[trian]\nseed = 3", "unknown key 'trian', did you mean 'train'?"),
        ("zzz = 3", "unknown key 'zzz' (allowed: task, name, "),
        (
            "[[train.phases]]\n[[train.phases]]\nepoch = 3",
            "unknown key 'train.phases.1.epoch', did you mean 'epochs'?",
        ),
        ("task = 3", "task = 3: must be a text in quotes or a table"),
        ('task = "expresion7"', "unknown task 'expresion7', did you mean 'expression7'?"),
        ("[task]\nname = 'x'", "task 'x': heads must be there"),
        ('[task]\n[[task.heads]]\nname = "x"', "head 'x': needs 'kind'"),
        ("[heads.nose]\nweight = 1", "unknown head of task expression7 'nose'"),
        ("heads = 3", "heads = 3: must be a table"),
        ("data = 3", "data = 3: must be a table"),
        ('[train]\nseed = "3"', "train.seed = '3': must be a whole number"),
        ("[train]\nseed = 3.0", "train.seed = 3.0: must be a whole number"),
        ("[train]\nseed = true", "train.seed = True: must be a whole number"),
        ("[train]\nseed = -1", "train.seed = -1: must be 0 or more"),
        ("[train]\nbatch_size = 0", "train.batch_size = 0: must be 1 or more"),
        (
            '[train]\nprecision = "bf16"',
            "train.precision = 'bf16': must be one of 32-true, bf16-mixed, 16-mixed",
        ),
        ("[train]\nphases = 3", "train.phases = 3: must be a list"),
        ("[train]\nphases = [3]", "train.phases.0 = 3: must be a table"),
        ("[[train.phases]]\nlr = -1e-3", "train.phases.0.lr = -0.001: must be 0 or more"),
        ("[[train.phases]]\nlr = nan", "train.phases.0.lr = nan: must be 0 or more"),
        ("[[train.phases]]\nlr = inf", "train.phases.0.lr = inf: must be 0 or more"),
        ("[train.augment]\nflip = 1.5", "train.augment.flip = 1.5: must be 0 to 1"),
        ("[train.augment]\nmix_until = 1.1", "train.augment.mix_until = 1.1: must be 0 to 1"),
        ("[train]\nsam = -0.1", "train.sam = -0.1: must be 0 or more"),
        (
            '[train]\nsam = 0.1\nprecision = "16-mixed"',
            "train.sam = 0.1: takes precision 32-true or bf16-mixed, not 16-mixed",
        ),
        ("[train]\ncompile = 1", "train.compile = 1: must be true or false"),
        ('[train.teacher]\nruns = "a"', "train.teacher.runs = 'a': must be a list"),
        ("[train.teacher]\nweight = 1.5", "train.teacher.weight = 1.5: must be 0 to 1"),
        ("[train.teacher]\ntemperature = 0", "train.teacher.temperature = 0.0: must be 0.1 to 100"),
        ("[model]\nstart = 1", "model.start = 1: must be a text in quotes"),
        ("[model]\nsize = 0", "model.size = 0: must be 1 or more"),
        ("[model]\ndropout = 2", "model.dropout = 2.0: must be 0 to 1"),
        ("[model]\nmean = 0.5", "model.mean = 0.5: must be a list"),
        ("[model]\nmean = [0.5, 127.5]", "model.mean.1 = 127.5: must be 0 to 1"),
        ("[model]\nstd = [0]", "model.std.0 = 0.0: must be 0.001 to 1"),
        ("[model]\npretrained = 1", "model.pretrained = 1: must be true or false"),
        ("[model]\noptions = 1", "model.options = 1: must be a table"),
    ],
)
def test_a_bad_value_is_named_with_its_file(tmp_path: Path, text: str, message: str) -> None:
    said = fault(tmp_path, text)
    assert said.startswith(str(tmp_path / "run.toml"))
    assert message in said


def test_a_file_that_is_not_toml(tmp_path: Path) -> None:
    assert "run.toml: not TOML: " in fault(tmp_path, "train = [")
    path = tmp_path / "latin.toml"
    path.write_bytes(b"name = '\xff'")
    with pytest.raises(ConfigError, match=r"latin\.toml: not TOML: "):
        config.load(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: no such file"):
        config.load(tmp_path / "nowhere.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        config.load(tmp_path)


def test_overrides(tmp_path: Path) -> None:
    words = ["--train.seed", "3", "--train.phases.0.lr=0.5", "--data.store", "a b.h5",
             "--train.batch-size", "8", "--model.options.width", "[1, 2]",
             "--heads.expression7.loss", "kl", "--model.pretrained", "true"]  # fmt: skip
    read = config.load(written(tmp_path, "[train]\nseed = 1\nema = 0.5"), words)
    assert (read.train.seed, read.train.ema, read.train.batch_size) == (3, 0.5, 8)
    assert read.train.phases == (PhaseConfig(lr=0.5),)
    assert read.data.store == "a b.h5"
    assert read.model.shared["options"] == {"width": [1, 2]}
    assert read.model.all_inputs[0].pretrained is True
    assert read.resolved_task().heads[0].loss == (("kl", 1.0),)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("name", "2024", "2024"),
        ("name", "2024-05-01", "2024-05-01"),
        ("name", '"2024"', "2024"),
        ("data.store", "true", "true"),
        ("data.store", "[1]", "[1]"),
        ("train.phases.0.optimizer", "1e3", "1e3"),
        ("train.teacher.runs", '["1", "2"]', ("1", "2")),
        ("train.calibration", "none", "none"),
        ("data.memory-gb", "2", 2.0),
    ],
)
def test_a_text_is_taken_as_it_is(tmp_path: Path, key: str, text: str, value: object) -> None:
    for words in ([f"--{key}", text], [f"--{key}={text}"]):
        read: Any = config.load(written(tmp_path, ""), words)
        for name in key.replace("-", "_").split("."):
            read = read[int(name)] if name.isdecimal() else getattr(read, name)
        assert read == value


def test_a_text_in_a_list_is_taken_as_it_is(tmp_path: Path) -> None:
    text = '[train.teacher]\nruns = ["a", "b"]'
    assert config.load(written(tmp_path, text), ["--train.teacher.runs.1", "2024"]).train.teacher.runs == (
        "a",
        "2024",
    )
    with pytest.raises(ConfigError, match="command line: unknown task '2024'"):
        config.load(written(tmp_path, ""), ["--task", "2024"])


def test_a_number_is_held_to_the_bounds_of_its_own_field() -> None:
    """Not to those of a key of the same name in another table."""

    @dataclass(frozen=True)
    class Inner:
        weight: float = 0.0

    @dataclass(frozen=True)
    class Outer:
        weight: Annotated[float, Bounds(-1, 1)] = 0.0
        several: tuple[Annotated[int, Bounds(2)], ...] = ()
        inner: Inner = Inner()

    reader = tables.Reader("here")
    read = reader.read({"weight": -1, "several": [2, 9], "inner": {"weight": 7}}, Outer)
    assert read == Outer(-1.0, (2, 9), Inner(7.0))
    for table, message in [
        ({"weight": 7}, "here: weight = 7.0: must be -1 to 1"),
        ({"several": [2, 1]}, "here: several.1 = 1: must be 2 or more"),
        ({"inner": {"weight": -1}}, "here: inner.weight = -1.0: must be 0 or more"),
    ]:
        with pytest.raises(ConfigError, match=re.escape(message)):
            reader.read(table, Outer)


def test_the_names_of_choices_are_the_keys_of_their_registries() -> None:
    from mien import calibrate
    from mien.compare import table
    from mien.datasets.fer2013 import ferplus_rules
    from mien.outputs.formats import registry
    from mien.predict import tta
    from mien.store import SPLITS
    from mien.tune import samplers, trials

    registries = {
        choices.Split: SPLITS,
        choices.Calibration: calibrate.METHODS,
        choices.VoteRule: ferplus_rules.RULES,
        choices.Averaging: tta.AVERAGES,
        choices.ResultFormat: registry.FORMATS,
        choices.TableFormat: table.FORMATS,
        choices.Objective: trials.OBJECTIVES,
        choices.Sampler: samplers.SAMPLERS,
        choices.Pruner: samplers.PRUNERS,
    }
    for names, known in registries.items():
        assert get_args(names) == tuple(known)


def test_overrides_reach_into_a_declared_task(tmp_path: Path) -> None:
    text = '[task]\n[[task.heads]]\nname = "my-mood"\nkind = "tags"\nlabels = ["up", "down"]\n'
    words = ["--task.heads.0.kind", "class", "--heads.my-mood.weight", "2"]
    task = config.load(written(tmp_path, text), words).resolved_task()
    assert (task.heads[0].kind, task.heads[0].weight) == (Kind.CLASS, 2.0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--train.seed"], "overrides are pairs such as '--train.seed 3', given: --train.seed"),
        (["train.seed", "3"], "overrides are pairs"),
        (["--train.sead", "3"], "command line: unknown key 'train.sead', did you mean 'seed'?"),
        (["--trian.seed", "3"], "command line: unknown key 'trian', did you mean 'train'?"),
        (["--train.seed", "three"], "command line: train.seed = 'three': must be a whole number"),
        (["--train.phases.1.lr", "3"], "--train.phases.1.lr: cannot go down to '1' (allowed here: 0 to 0)"),
        (["--train.phases.x", "3"], "--train.phases.x: cannot go down to 'x' (allowed here: 0 to 0)"),
        (["--train.seed.deep", "3"], "--train.seed.deep: cannot go down to 'deep' (allowed here: nothing, "),
        (
            ["--task.name", "x"],
            "--task.name: cannot go down to 'name' (allowed here: nothing, it is a plain value)",
        ),
        (["--model.mean.0", "0.5"], "--model.mean.0: cannot go down to '0'"),
        (["--task", "nose"], "command line: unknown task 'nose'"),
        (["--heads.nose.weight", "1"], "command line: unknown head of task expression7 'nose'"),
    ],
)
def test_a_bad_override_is_named(tmp_path: Path, words: list[str], message: str) -> None:
    assert message in fault(tmp_path, "", *words)


# --- the way back
# -----------------------------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
shares = st.floats(0, 1)
plain = (
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | texts
    | st.dates()
    | st.datetimes()
)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
phases = st.builds(
    PhaseConfig, epochs=st.integers(1, 99), lr=st.floats(0, 1), frozen=st.booleans(), optimizer=texts
)


def model(colour: dict[str, Any], views: list[str], **table: Any) -> ModelConfig:
    return ModelConfig.from_dict({**colour, **table, **({"views": views} if views else {})})


configs = st.builds(
    Config,
    task=st.sampled_from(sorted(TASKS)) | st.just(TASKS["affect"].to_dict()),
    name=texts,
    licence=texts,
    data=st.builds(DataConfig, store=texts, limit=st.integers(0, 10**9), memory_gb=st.floats(0, 1e300)),
    model=st.builds(
        model,
        colour=st.sampled_from([{"colour": "grey"}, {"colour": "rgb"}, {"mean": [0.4]}])
        | st.lists(shares, min_size=3, max_size=3).map(lambda mean: {"colour": "rgb", "mean": mean}),
        options=st.dictionaries(texts, values, max_size=3),
        start=texts,
        dropout=shares,
        views=st.sampled_from([[], ["crop"], ["picture"], ["picture", "crop"]]),
    ),
    train=st.builds(
        TrainConfig,
        phases=st.lists(phases, max_size=3).map(tuple),
        augment=st.builds(AugmentConfig, flip=shares, rotation=st.floats(0, 180)),
    ),
)


@given(configs)
def test_what_is_written_is_read_back(given_config: Config) -> None:
    text = config.dumps(given_config)
    assert config.from_dict(tomllib.loads(text), "memory") == given_config


@given(st.dictionaries(texts, values, max_size=4))
def test_any_table_survives_toml(table: dict[str, Any]) -> None:
    assert tomllib.loads(tables.dumps(table)) == table


def test_written_toml_is_pleasant_to_read() -> None:
    table = {
        "name": 'a "b"',
        "model": {"mean": [0.5], "options": {"my key": {"x": 1}}},
        "phases": [{"lr": 0.1}, {"lr": 0.2}],
    }
    assert tables.dumps(table) == (
        'name = "a \\"b\\""\n\n[model]\nmean = [0.5]\n\n[model.options]\n\n'
        '[model.options."my key"]\nx = 1\n\n'
        "[[phases]]\nlr = 0.1\n\n[[phases]]\nlr = 0.2\n"
    )


def test_a_resolved_configuration_fits_json() -> None:
    assert config.from_dict(json.loads(json.dumps(Config().to_dict())), "memory") == Config()


def test_views_and_margin_are_read_and_written(tmp_path: Path) -> None:
    read = config.load(written(tmp_path, '[model]\nviews = ["crop", "picture"]\nmargin = 0.1'))
    assert seen(read.model) == [("face", "region", 0.1), ("scene", "whole", 0.1)]
    assert seen(ModelConfig()) == [("face", "region", 0.0)]
    assert config.load(written(tmp_path, config.dumps(read))) == read
    assert seen(config.load(written(tmp_path, ""), ["--model.views", '["picture"]']).model) == [
        ("scene", "whole", 0.0)
    ]


def seen(model: ModelConfig) -> list[tuple[str, str, float]]:
    """Name, region and margin of each input."""
    return [(each.name, each.region, each.transform["margin"]) for each in model.all_inputs]


def test_inputs_have_keys_of_their_own_and_shared_ones(tmp_path: Path) -> None:
    text = """
    [model]
    start = "a"
    dropout = 0.5
    size = 64
    [model.inputs.face]
    margin = 0.1
    [model.inputs.scene]
    region = "whole"
    encoder = "resnet18"
    size = 96
    """
    read = config.load(written(tmp_path, text))
    assert (read.model.start, read.model.dropout, read.model.fusion) == ("a", 0.5, "concat")
    assert seen(read.model) == [("face", "region", 0.1), ("scene", "whole", 0.0)]
    assert [(each.encoder, each.transform["size"]) for each in read.model.all_inputs] == [
        ("compact", 64),
        ("resnet18", 96),
    ]
    assert config.load(written(tmp_path, config.dumps(read))) == read
    changed = config.load(
        written(tmp_path, text), ["--model.inputs.scene.size", "32", "--model.dropout", "0.1"]
    )
    assert [each.transform["size"] for each in changed.model.all_inputs] == [64, 32]
    assert (changed.model.dropout, changed.model.start) == (0.1, "a")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bakbone = 1", "unknown key 'model.bakbone'"),
        ("inputs = 1", "model.inputs = 1: must be a table for each input"),
        ("inputs = []", "model.inputs = []: must be a table for each input"),
        ("inputs.face = 1", "model.inputs.face = 1: must be a table"),
        ("inputs.face.sise = 1", "unknown key 'model.inputs.face.sise', did you mean 'size'?"),
        ("inputs.face.size = 0", "model.inputs.face.size = 0: must be 1 or more"),
        ("size = 32\ninputs.face.size = 64", "model.size does nothing: each input has its own (face)"),
        (
            "inputs.present.size = 64",
            "input 'present': a name is made of letters, digits, _ and -, and not present",
        ),
        ('inputs.face.region = "crop"', "input 'face': region = 'crop': must be one of region, whole"),
        ('views = ["crop"]\ninputs.face.size = 9', "model.views and model.inputs: give the inputs alone"),
    ],
)
def test_bad_inputs_are_named(tmp_path: Path, text: str, message: str) -> None:
    assert message in fault(tmp_path, f"[model]\n{text}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('views = ["crop", "face"]', "model.views.1 = 'face': must be one of crop, picture"),
        ('views = "crop"', "model.views = 'crop': must be a list"),
        ("views = []", "model.views = []: must name crop, picture or both, each once"),
        (
            'views = ["crop", "crop"]',
            "model.views = ['crop', 'crop']: must name crop, picture or both, each once",
        ),
        ("margin = -0.1", "model.margin = -0.1: must be 0 or more"),
        ('margin = "0.1"', "model.margin = '0.1': must be a number"),
    ],
)
def test_bad_views_and_margins_are_named(tmp_path: Path, text: str, message: str) -> None:
    assert f"run.toml: {message}" in fault(tmp_path, f"[model]\n{text}")


def test_keys_that_have_another_name_are_read_and_told(tmp_path: Path) -> None:
    notes: list[str] = []
    file = written(tmp_path, '[model]\nbackbone = "resnet18"\nviews = ["crop", "picture"]')
    read = config.load(file, ["--model.size", "32"], notes.append)
    assert [each.encoder for each in read.model.all_inputs] == ["resnet18", "resnet18"]
    assert notes == [
        f"{file}: model.backbone is called model.encoder now",
        f"{file}: model.views is read; name the inputs instead: [model.inputs.face], [model.inputs.scene]",
    ]
    notes.clear()
    assert (
        config.load(written(tmp_path, ""), ["--model.backbone=vit"], notes.append).model.shared["encoder"]
        == "vit"
    )
    assert notes == ["command line: model.backbone is called model.encoder now"]
    config.load(written(tmp_path, '[model]\nencoder = "resnet18"'), note=notes.append)
    assert len(notes) == 1
