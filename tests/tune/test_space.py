import pytest

from mien import config as configs
from mien.errors import ConfigError
from mien.tune import space
from tests.tune.studies import TOML


def read(text, tmp_path, *overrides):
    path = tmp_path / "space.toml"
    path.write_text(text)
    return space.load(path, overrides)


def test_each_hyperparameter_is_found_with_its_default(tmp_path):
    found = read(TOML, tmp_path)
    assert found.defaults == {
        "model.options.widths": "[4, 8]",  # the first choice
        "model.options.depth": 2,  # the middle: a free table has no standard value
        "train.batch_size": 32,  # as said
        "train.label_smoothing": 0.0,  # the key's standard value
        "train.phases.0.lr": 1e-4,
    }
    assert [parameter.name for parameter in found.parameters] == [
        "options.widths",
        "options.depth",
        "batch_size",
        "label_smoothing",
        "lr",
    ]


def test_a_tuned_configuration_is_the_same_file_with_numbers_in(tmp_path):
    found = read(TOML, tmp_path)
    config = found.config(found.defaults | {"model.options.widths": "[8, 16]", "train.phases.0.lr": 0.02})
    assert (config.model.shared["options"], config.train.phases[0].lr) == (
        {"widths": [8, 16], "depth": 2},
        0.02,
    )
    assert configs.from_dict(configs.parsed(_written(config, tmp_path)), "again") == config


def _written(config, tmp_path):
    path = tmp_path / "best.toml"
    path.write_text(configs.dumps(config))
    return path


def test_whole_numbers_are_fractions_where_the_key_takes_them(tmp_path):
    parameters = {parameter.key: parameter.domain for parameter in read(TOML, tmp_path).parameters}
    assert not parameters["train.label_smoothing"].whole
    assert parameters["model.options.depth"].whole
    text = "[model]\nmargin = {low = 0, high = 1}\n[model.inputs.face]\nsize = {low = 32, high = 64}\n"
    text += "[model.inputs.scene]\nmargin = {low = 0, high = 1}\nsize = 48"
    parameters = {parameter.key: parameter.domain for parameter in read(text, tmp_path).parameters}
    assert {key: domain.whole for key, domain in parameters.items()} == {
        "model.margin": False,
        "model.inputs.face.size": True,
        "model.inputs.scene.margin": False,
    }


def test_earlier_names_of_keys_are_todays(tmp_path):
    text = '[model]\nbackbone = {choices = ["alexnet", "compact"]}\nsize = 64'
    found = read(text, tmp_path)
    assert found.defaults == {"model.encoder": "compact"}  # the key's standard value, not the first
    fixed = read(text + "\ndropout = {low = 0.1, high = 0.2}", tmp_path, "--model.backbone", "resnet18")
    assert set(fixed.defaults) == {"model.dropout"}
    assert fixed.config(fixed.defaults).model.all_inputs[0].encoder == "resnet18"


def test_parameters_in_lists_and_of_heads_and_encoders(tmp_path):
    text = """
task = "affect"
[model]
backbone = {choices = ["compact", "alexnet"]}
options = {widths = [{choices = [16, 32]}, 64]}
[heads.expression8]
weight = {low = 0.5, high = 4.0}
class_weights = {happy = 1.0}
"""
    found = read(text, tmp_path)
    drawn = {"model.encoder": "alexnet", "model.options.widths.0": 32, "heads.expression8.weight": 2.0}
    assert set(found.defaults) == set(drawn)
    config = found.config(drawn)
    assert config.model.all_inputs[0].encoder == "alexnet"
    assert config.model.shared["options"]["widths"] == [32, 64]
    assert config.resolved_task().head("expression8").weight == 2.0


def test_everything_that_training_uses_can_be_left_open(tmp_path):
    text = """
[model]
backbone = {choices = ["compact", "resnet18"]}
colour = {choices = ["grey", "rgb"]}
size = {low = 32, high = 64, step = 16}
dropout = {low = 0.0, high = 0.5}
[model.options]
activation = {choices = ["relu", "gelu"]}
widths = {choices = [[8, 16], [16, 32]]}
depth = {low = 1, high = 3}
[train]
batch_size = {low = 16, high = 64}
label_smoothing = {low = 0.0, high = 0.2}
ema = {choices = [0.0, 0.99]}
sam = {choices = [0.0, 0.05]}
clip = {low = 0.0, high = 5.0}
balance = {choices = ["none", "loss"]}
head_weights = {choices = ["fixed", "uncertainty"]}
[train.augment]
flip = {low = 0.0, high = 0.5}
rotation = {low = 0, high = 20}
mixup = {low = 0.0, high = 0.4}
[[train.phases]]
epochs = {low = 2, high = 4}
lr = {low = 1e-4, high = 1e-2, log = true}
momentum = {low = 0.8, high = 0.99}
weight_decay = {low = 1e-4, high = 0.1, log = true}
warmup = {low = 0.0, high = 1.0}
optimizer = {choices = ["sgd", "adamw"]}
schedule = {choices = ["cosine", "one_cycle"]}
[heads.expression7]
weight = {low = 0.5, high = 2.0}
loss = {choices = ["cross_entropy", "focal"]}
"""
    found = read(text, tmp_path)
    assert len(found.parameters) == text.count(" = {") == 26
    ends = {parameter.key: space.encode_value(parameter.domain.ends()[-1]) for parameter in found.parameters}
    config = found.config(ends).to_dict()
    for parameter in found.parameters:
        assert space._at(config, parameter.key) == parameter.domain.ends()[-1], parameter.key


def test_a_value_on_the_command_line_fixes_a_parameter(tmp_path):
    found = read(TOML, tmp_path, "--train.batch-size", "48", "--train.threads", "1")
    assert "train.batch_size" not in found.defaults
    assert found.config(found.defaults).train.batch_size == 48
    assert found.config(found.defaults).train.threads == 1


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("seed = {low = 1}", "needs 'train.seed.high'"),
        ("seed = {low = 1, hihg = 2}", "unknown key 'train.seed.hihg', did you mean 'high'"),
        ("seed = {low = 3, high = 2}", "low must be less than high"),
        ("ema = {low = 0.0, high = 0.9, log = true}", "log needs low above 0"),
        ("batch_size = {low = 8, high = 20, step = 8}", "high must lie a whole number of steps above low"),
        ("ema = {low = 0.5, high = 0.9, default = 0.2}", "default must be one of its values"),
        ("balance = {choices = ['loss']}", "at least two different values"),
        ("balance = {choices = ['loss', 'none'], default = 'both'}", "default must be one of the choices"),
        (
            "balance = {choices = ['loss', 'nome']}",
            "train.balance = 'nome': must be one of none, loss, sampler",
        ),
        ("ema = {low = 0.5, high = 1.5}", "train.ema = 1.5: must be 0 to 1"),
        ("seed = {low = 1.0, high = 2.5}", "train.seed = 1.75: must be a whole number"),
        ("monitor = {choices = ['accuracy', 'kappa']}", "train.monitor cannot vary"),
        ("seed = 1", "nothing varies"),
    ],
)
def test_faults_are_one_line(line, text, tmp_path):
    with pytest.raises(ConfigError) as fault:
        read(f"[train]\n{line}\n", tmp_path)
    assert text in str(fault.value)
    assert "\n" not in str(fault.value)
    assert "space.toml" in str(fault.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml: no such file"):
        space.load(tmp_path / "nowhere.toml")
