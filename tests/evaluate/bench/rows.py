"""A row of every benchmark as its authors publish it, and how to have it read."""

from __future__ import annotations

import json
from collections.abc import Mapping

from uppertail.evaluate.bench.benchmark import Inputs, items_of
from uppertail.evaluate.bench.registry import find

MESSAGES = [{"role": "user", "content": "Hi"}]
REWARDBENCH = {
    "id": 7,
    "prompt": "p",
    "chosen": "good",
    "rejected": "bad",
    "subset": "math-prm",
}
RMBENCH = {
    "id": "m/1",
    "prompt": "p",
    "chosen": ["a", "b", "c"],
    "rejected": ["d", "e", "f"],
    "domain": "math",
}
RB2 = {"id": "x1", "subset": "Focus", "prompt": "p", "chosen": ["a"], "rejected": ["b", "c", "d"]}
TIES = {**RB2, "id": "tied:4", "subset": "Ties", "chosen": ["a", "b"], "rejected": ["c"]}
JUDGEBENCH = {
    "pair_id": "j1",
    "question": "q",
    "response_A": "a",
    "response_B": "b",
    "label": "B>A",
    "source": "livebench-math",
}
LLMBAR = {"pair_id": "l1", "prompt": "p", "output_1": "a", "output_2": "b", "label": 2}
PPE = {"question_id": "q1", "prompt": "p", "response_1": "a", "response_2": "b", "winner": "tie"}
AUTOJ = {
    "pair_id": "a1",
    "prompt": "p",
    "response_1": "a",
    "response_2": "b",
    "label": 1,
    "scenario": "poetry",
}
PANDALM = {**AUTOJ, "human": [2, 2, 1], "cmp": "x_y"}
RMB_PAIR = {
    "category_path": "Pairwise_set/Helpfulness/Chat",
    "conversation_input": MESSAGES,
    "chosen": {"answer": "a"},
    "reject": {"answer": "b"},
}
RMB_GROUP = {
    "category_path": "BoN_set/Harmlessness/S1",
    "conversation_input": MESSAGES,
    "bon_best": {"answer": "a"},
    "loser_list": [{"answer": "b"}, {"answer": "c"}],
    "bon_uid": "3",
}
HEALTH = {
    "prompt_id": "h1",
    "prompt": MESSAGES,
    "rubrics": [
        {"criterion": "Says rest.", "points": 5, "tags": ["axis:accuracy"]},
        {"criterion": "Says smoke.", "points": -3, "tags": []},
    ],
    "example_tags": ["theme:hedging"],
    "response": "Rest.",
}
PR = {
    "task": "t1",
    "field": "Finance",
    "prompt_0": "One?",
    "response_0": "Two.",
    "prompt_1": "Three?",
    "reference_texts_1": ["a table"],
    "rubric": [
        {
            "title": "Says four.",
            "annotations": {
                "weight_class": "critically important",
                "critically_important_weight": 8,
            },
        },
        {"title": "Idle.", "annotations": {"weight_class": "neutral", "neutral_weight": 0}},
    ],
    "response": "Four.",
}
INFO = {
    "id": "i1",
    "instruction": "Do it.",
    "input": "this",
    "decomposed_questions": ["Is it done?", "Is it good?"],
    "question_label": [["Content"], ["Style"]],
    "subset": "Hard_set",
    "output": "Done.",
}
BIGGEN = {
    "id": "b1",
    "capability": "planning",
    "system_prompt": "Be brief.",
    "input": "Plan.",
    "score_rubric": {"criteria": "Is it a plan?"}
    | {f"score{n}_description": f"level {n}" for n in range(1, 6)},
    "response": "A plan.",
}
IFEVAL = {
    "key": 9,
    "prompt": "p",
    "instruction_id_list": ["length_constraints:number_words", "punctuation:no_comma"],
    "kwargs": [{"relation": "at least", "num_words": 2, "num_sentences": None}, {}],
    "response": "Two words",
}
CORRECT = {
    "question_id": "c1",
    "model_name": "m",
    "prompt": "p",
    "scores": [True, False, True],
    **{f"response_{n}": f"r{n}" for n in range(1, 4)},
}
ROWS: Mapping[str, Mapping[str, object]] = {
    "rewardbench": REWARDBENCH,
    "rewardbench-2": RB2,
    "rm-bench": RMBENCH,
    "rmb": RMB_GROUP,
    "judgebench": JUDGEBENCH,
    "llmbar": LLMBAR,
    "ppe": PPE,
    "ppe-correctness": CORRECT,
    "healthbench": HEALTH,
    "prbench": PR,
    "infobench": INFO,
    "ifeval": IFEVAL,
    "biggen": BIGGEN,
    "autoj": AUTOJ,
    "pandalm": PANDALM,
    "pairs": {"prompt": "p", "chosen": "a", "rejected": "b", "subset": "s"},
    "rated": {
        "prompt": "p",
        "responses": [{"response": "a", "label": 1}, {"response": "b", "label": 2}],
    },
    "rubrics": {"prompt": "p", "criteria": ["Is short."], "response": "a"},
}


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(name, tmp_path, *rows, **more):
    file = write(tmp_path / "data.jsonl", *rows)
    return list(items_of(find(name), Inputs(data=file, **more)))
