"""OpenLIT on the OpenAI client."""

import json
from contextlib import nullcontext
from pathlib import Path

import openlit

import openai_cases
from scene import MODELS, SESSION, USER, case

# Prices per thousand tokens, which it would download otherwise.
PRICES = {"chat": {MODELS["openai"]: {"promptPrice": 0.00015, "completionPrice": 0.0006}}}
Path("prices.json").write_text(json.dumps(PRICES))
openlit.init(
    application_name="genai-fixture",
    capture_message_content=case() != "no_content",
    disabled_instrumentors=["httpx"],
    disable_metrics=True,
    pricing_json="prices.json",
)
told = {"session.id": SESSION, "user.id": USER}
with openlit.using_attributes(told) if case() == "session" else nullcontext():
    openai_cases.play(case())
