"""`uppertail train` from the command line."""

import json
from importlib.resources import files

import pytest
from pyarrow.parquet import read_table

from tests.train.gold import QUESTIONS, rubric_of
from tests.train.tiny import save_tiny
from uppertail.cli.train import train
from uppertail.data.rows import criterion_row
from uppertail.errors import InputError, ModelUnusable
from uppertail.reward.monitor_split import drop_criteria, split_rubric
from uppertail.reward.monitor_watch import read_state
from uppertail.reward.server.run import listen

pytestmark = pytest.mark.filterwarnings("default")


def run(*arguments: object) -> int:
    code = train([str(one) for one in arguments], exit_on_error=False, print_error=False)
    assert isinstance(code, int)
    return code


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("model"))


@pytest.fixture
def prompts(tmp_path):
    rows = [
        {
            "prompt_id": q.prompt.id,
            "prompt": q.prompt.text,
            "criteria": [criterion_row(c) for c in rubric_of(q).criteria],
        }
        for q in QUESTIONS
    ]
    return write(tmp_path / "prompts.jsonl", rows)


@pytest.fixture
def pools(tmp_path):
    answers = ("red green blue .", "red .", "no no no", "red green .")
    rows = [
        {
            "prompt_id": q.prompt.id,
            "prompt": q.prompt.text,
            "responses": [
                {"response": text, "model": f"m{n}", "label": 1 - n / 4}
                for n, text in enumerate(answers)
            ],
        }
        for q in QUESTIONS
    ]
    return write(tmp_path / "pools.jsonl", rows)


@pytest.fixture
def pairs(tmp_path):
    row = {"prompt": "list colour", "chosen": "red green .", "rejected": "no"}
    return write(tmp_path / "pairs.jsonl", [row, {**row, "prompt": "list name"}])


SMALL = ("--batch", 2, "--max-length", 20, "--max-steps", 2)
TINY_GRPO = (*SMALL, "--max-prompt", 12, "--group", 4)


def test_a_dry_run_shows_settings_their_sources_and_what_they_cost(prompts, capsys):
    assert run("grpo", prompts, "--model", "Qwen/Qwen3-8B-Base", "--dry-run", "--batch", 4) == 0
    shown = capsys.readouterr().out
    assert "steps: 2" in shown
    assert "reward calls: 128" in shown
    assert "arXiv 2509.21500, Tables 4 and 5" in shown
    assert "ours" in shown
    assert "yours" in shown
    assert "Nothing was loaded" in shown


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("grpo", "PROMPTS", "--preset", "finance"), {"steps": 320, "reward_calls": 320 * 96 * 16}),
        (("grpo", "PROMPTS", "--preset", "finance", "--epochs", "3"), {"steps": 3}),
        (("dpo", "PAIRS", "--lora"), {"steps": 1, "preferences": 2, "trained": "adapters"}),
        (("sft", "POOLS", "--by", "m0"), {"responses": 4, "steps": 2}),
        (("rounds", "PROMPTS"), {"rounds": 3, "sampled_answers": 24}),
    ],
)
def test_a_dry_run_is_json_for_programs(arguments, expected, prompts, pools, pairs, capsys):
    many = [json.loads(prompts.read_text().splitlines()[0])] * 100
    rows = [{**row, "prompt_id": f"p{n}"} for n, row in enumerate(many)]
    if arguments[0] == "grpo":
        write(prompts, rows)
    places = {"PROMPTS": prompts, "PAIRS": pairs, "POOLS": pools}
    given = [places.get(one, one) for one in arguments]
    assert run(*given, "--model", "owner/name", "--dry-run", "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert {name: made[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("grpo", "PROMPTS", "--model", "no such folder"), "expected a folder that holds a model"),
        (("grpo", "BARE", "--model", "o/n"), "expected a rubric for prompt"),
        (("grpo", "PROMPTS", "--model", "o/n"), "4 prompts do not fill one batch of 96"),
        (("grpo", "PROMPTS", "--model", "o/n", "--preset", "x"), "--preset must be one of health"),
        (
            ("grpo", "PROMPTS", "--model", "o/n", "--batch", "4", "--per-device", "7"),
            "cannot be spread",
        ),
        (("grpo", "PROMPTS", "--model", "o/n", "--gold-rubrics", "x"), "without --gold-prompts"),
        (("grpo", "PROMPTS", "--model", "o/n", "--by", "server"), "go together"),
        (("grpo", "PROMPTS", "--model", "o/n", "--judge", "o/j"), "without --by comparisons"),
        (("grpo", "PROMPTS", "--model", "o/n", "--watch-share", "0"), "--watch-share"),
        (("grpo", "PROMPTS", "--model", "o/n", "--hold-out", "1"), "--hold-out"),
        (("grpo", "PROMPTS", "--model", "o/n", "--criterion-dropout", "1"), "--criterion-dropout"),
        (
            ("grpo", "PROMPTS", "--model", "o/n", "--by", "comparisons", "--hold-out", "0.5"),
            "need --by rubrics",
        ),
        (("grpo", "PROMPTS", "--model", "o/n", "--patience", "0"), "--patience"),
        (("grpo", "PROMPTS", "--model", "o/n", "--eval-every", "0"), "--eval-every"),
        (("grpo", "gone.jsonl", "--model", "o/n"), "gone.jsonl"),
        (("sft", "POOLS", "--model", "o/n", "--by", "x"), "no response is by 'x'"),
        (("sft", "POOLS", "--model", "o/n", "--lora", "--lora-rank", "0"), "--lora-rank"),
        (("dpo", "POOLS", "--model", "o/n"), "expected an answer"),
        (("dpo", "PAIRS", "--model", "o/n", "--beta", "0"), "--beta is out of range"),
        (("label", "POOLS"), "no pool has a rubric"),
        (("label", "POOLS", "--by", "judge", "--margin", "1"), "--margin does nothing"),
        (("label", "POOLS", "--judge", "o/j"), "without --by judge"),
        (("label", "POOLS", "--pairs", "0", "--by", "judge"), "--pairs"),
        (("label", "POOLS", "--by", "judge", "--pairs-from", "on"), "no prompt has two different"),
        (("rounds", "PROMPTS", "--model", "o/n", "--samples", "1"), "--samples"),
        (("rounds", "PROMPTS", "--model", "o/n", "--preset", "x"), "--preset must be"),
        (("best-of-n", "POOLS", "--n", "0"), "1 or more"),
        (("best-of-n", "POOLS", "--most", "1"), "without --least"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_refused_before_anything_starts(
    arguments, problem, prompts, pools, pairs, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    bare = write(tmp_path / "bare.jsonl", [{"prompt": "q"}])
    places = {"PROMPTS": prompts, "PAIRS": pairs, "POOLS": pools, "BARE": bare}
    with pytest.raises(InputError, match=problem):
        run(*(places.get(one, one) for one in arguments))
    assert not (tmp_path / "runs").exists()


def test_grpo_trains_and_the_same_command_finds_it_done(prompts, model, tmp_path, capsys):
    out = tmp_path / "run"
    command = ("grpo", prompts, "--model", model, "--out", out, *TINY_GRPO, "--json")
    held_out = ("--gold-prompts", prompts, "--eval-every", 1, "--watch-verifier", "offline")
    assert run(*command, *held_out) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["steps"] == 2
    assert set(made["last"]) >= {"reward", "kl_nats", "unscored", "gold"}
    assert run(*command, *held_out) == 0
    again = capsys.readouterr()
    assert json.loads(again.out) == made
    assert "nothing to do" in again.err
    with pytest.raises(InputError, match=r"kl: made with 0\.01, asked for 0\.5"):
        run(*command, *held_out, "--kl", 0.5)


def test_criteria_are_held_out_of_the_reward_and_dropped_from_steps(prompts, model, tmp_path):
    out = tmp_path / "run"
    command = ("grpo", prompts, "--model", model, "--out", out, *TINY_GRPO)
    assert run(*command, "--hold-out", 0.3, "--criterion-dropout", 0.4) == 0
    splits = {q.prompt.id: split_rubric(rubric_of(q), share=0.3) for q in QUESTIONS}
    assert all(split.held_out is not None for split in splits.values())
    kept = {q.prompt.text: splits[q.prompt.id].kept for q in QUESTIONS}
    rewarded = set()
    for step, file in enumerate(sorted((out / "completions").glob("*.parquet"))):
        for row in read_table(file).to_pylist():
            rubric = kept[row["prompt"][-1]["content"]]
            left = {c.text for c in drop_criteria(rubric, rate=0.4, step=step).criteria}
            assert {one["criterion"] for one in json.loads(row["rubric_verdicts"])} == left
            rewarded.add(frozenset(left))
    assert len(rewarded) == 4  # two prompts a step
    seen = read_state(out / "checkpoint-2" / "hacking_0.json").steps
    assert [len(known) for known in seen.values()] == [8] * 2
    assert all(one.both is not None for known in seen.values() for one in known)


def test_rubrics_without_a_criterion_to_spare_are_refused_or_counted(prompts, capsys):
    rows = [json.loads(line) for line in prompts.read_text().splitlines()]
    command = ("grpo", prompts, "--model", "o/n", "--batch", 4, "--hold-out", 0.3, "--dry-run")
    write(prompts, [{**rows[0], "criteria": rows[0]["criteria"][:1]}, *rows[1:]])
    assert run(*command) == 0
    assert "1 of 4 rubrics have no criterion that could be held out" in capsys.readouterr().err
    write(prompts, [{**row, "criteria": row["criteria"][:1]} for row in rows])
    with pytest.raises(InputError, match="--hold-out needs rubrics with two criteria"):
        run(*command)


def test_grpo_learns_from_comparisons_with_its_greedy_answer(prompts, model, tmp_path, capsys):
    out = tmp_path / "run"
    rewarded = ("--by", "comparisons", "--judge", "length")
    assert run("grpo", prompts, "--model", model, "--out", out, *TINY_GRPO, *rewarded) == 0
    rows = [json.loads(row) for row in (out / "log.jsonl").read_text().splitlines()]
    rewards = [row["reward"] for row in rows if "reward" in row]
    assert len(rewards) == 2
    assert all(0 <= value <= 1 for value in rewards)
    assert str(out / "model") in capsys.readouterr().out


def test_a_reward_server_that_is_not_there_ends_the_command_before_a_model_is_loaded(
    prompts, tmp_path
):
    with listen("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    # Nothing of that name could be loaded here, so that a later error would be another one.
    command = ("grpo", prompts, "--model", "owner/name", "--out", tmp_path / "run", *TINY_GRPO)
    with pytest.raises(ModelUnusable, match=f"{url} does not answer: .*`uppertail serve`"):
        run(*command, "--by", "server", "--server", url)
    with pytest.raises(InputError, match="tokenizer cannot be loaded"):
        run(*command)


def test_sft_imitates_what_best_of_n_kept(pools, model, tmp_path, capsys):
    out = tmp_path / "best"
    assert run("best-of-n", pools, "--n", 1, "--n", 4, "--n", 9, "--least", 0.7, "--out", out) == 0
    shown = capsys.readouterr().out
    assert "1.0000" in shown
    assert "0.6250" in shown
    assert "8 responses to imitate" in shown
    best = [json.loads(row) for row in (out / "best.jsonl").read_text().splitlines()]
    assert {row["response"] for row in best} == {"red green blue ."}
    made = tmp_path / "sft"
    assert run("sft", out / "rft.jsonl", "--model", model, "--out", made, *SMALL, "--json") == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 2
    assert run("best-of-n", pools, "--out", out, "--json") == 0
    table = json.loads(capsys.readouterr().out)
    assert [row["expected"] is None for row in table["best_of_n"]] == [False] * 3 + [True] * 2


def test_labels_of_a_judge_are_what_dpo_reads(pools, model, tmp_path, capsys):
    out = tmp_path / "labels"
    command = ("label", pools, "--by", "judge", "--judge", "length", "--pairs", 6, "--out", out)
    assert run(*command, "--dry-run") == 0
    assert "48 comparisons" in capsys.readouterr().out
    assert run(*command) == 0
    assert "24 preferences of 4 prompts" in capsys.readouterr().out
    first = (out / "preferences.jsonl").read_bytes()
    assert run(*command, "--json") == 0
    assert (out / "preferences.jsonl").read_bytes() == first
    capsys.readouterr()
    made = tmp_path / "dpo"
    trained = ("--model", model, "--out", made, *SMALL, "--warmup", 0, "--learning-rate", "1e-2")
    assert run("dpo", out, *trained, "--sft-weight", 0.2, "--json") == 0
    assert json.loads(capsys.readouterr().out)["last"]["rewards/margins"] > 0


def test_labels_of_a_rubric_say_what_was_dropped(pools, prompts, tmp_path, capsys):
    out = tmp_path / "labels"
    command = ("label", pools, "--rubrics", prompts, "--out", out, "--pairs", 10, "--margin", 0.3)
    assert run(*command, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["prompts"] == 4
    assert summary["preferences"] + sum(summary["dropped"].values()) == 4 * 6
    assert summary["dropped"]["tie"] > 0
    rows = [json.loads(row) for row in (out / "preferences.jsonl").read_text().splitlines()]
    assert all(row["margin"] >= 0.3 for row in rows)


def test_what_nobody_could_score_is_lost_and_the_exit_code_says_so(pools, tmp_path, capsys):
    rubrics = [
        {"prompt_id": q.prompt.id, "criteria": [{"criterion": "The response is kind."}]}
        for q in QUESTIONS
    ]
    out = tmp_path / "labels"
    path = write(tmp_path / "rubrics.jsonl", rubrics)
    assert run("label", pools, "--rubrics", path, "--out", out) == 1
    assert "24 unscored" in capsys.readouterr().out


def test_scores_that_are_there_label_without_a_call(pools, tmp_path, capsys):
    out = tmp_path / "labels"
    assert run("label", pools, "--by", "scores", "--out", out) == 0
    rows = [json.loads(row) for row in (out / "preferences.jsonl").read_text().splitlines()]
    assert {(row["chosen"], row["rejected"]) for row in rows} == {
        ("red green blue .", "red green .")
    }
    assert {row["margin"] for row in rows} == {0.75}


def test_rounds_go_from_prompts_to_a_policy(prompts, model, tmp_path, capsys):
    out = tmp_path / "rounds"
    command = ("rounds", prompts, "--model", model, "--out", out, "--by", "reward")
    options = ("--rounds", 1, "--samples", 4, "--max-answer", 6, "--pairs", 3, *SMALL)
    assert run(*command, *options, "--learning-rate", "1e-3", "--json") == 0
    (one,) = json.loads(capsys.readouterr().out)["rounds"]
    assert one["responses"] >= 8
    assert one["preferences"] >= 1
    assert (out / "round-1" / "manifest.json").is_file()


@pytest.mark.parametrize("how", ["zero3", "fsdp", "ddp"])
def test_a_launch_line_names_a_configuration_that_is_shipped(how, capsys):
    assert run("launch", how) == 0
    shown = capsys.readouterr().out
    config = files("uppertail.train") / "launch" / f"{how}.yaml"
    assert str(config) in shown
    assert "num_processes: 8" in config.read_text()
