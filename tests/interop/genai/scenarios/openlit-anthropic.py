"""OpenLIT on the Anthropic client."""

import json
from contextlib import nullcontext
from pathlib import Path

import openlit

import anthropic_cases
from scene import MODELS, SESSION, USER, case

# Prices per thousand tokens, which it would download otherwise.
PRICES = {"chat": {MODELS["anthropic"]: {"promptPrice": 0.001, "completionPrice": 0.005}}}
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
    anthropic_cases.play(case())
