"""Strands agents on Amazon Bedrock's converse API. They trace themselves; cases that end in `_latest` opt in to newer
conventions."""

import os

from scene import MODELS, PROMPTS, SESSION, SYSTEM, USER, case, fake, get_weather

name = case().removesuffix("_latest")
if name != case():
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"

from botocore.config import Config
from strands import Agent, tool
from strands.models import BedrockModel
from strands.telemetry import StrandsTelemetry
from strands.types.exceptions import ModelThrottledException

StrandsTelemetry().setup_otlp_exporter()
model = BedrockModel(
    model_id=MODELS["bedrock"],
    endpoint_url=fake(),
    region_name="us-east-1",
    boto_client_config=Config(retries={"total_max_attempts": 1}),
    streaming=name != "chat",
    temperature=0.5,
)
told = {"session.id": SESSION, "user.id": USER, "tags": ["beta"]} if name == "session" else {}
guide = {
    "model": model,
    "name": "guide",
    "system_prompt": SYSTEM,
    "callback_handler": None,
    "retry_strategy": None,
    "trace_attributes": told,
}
if name == "agent":
    desk = Agent(**guide | {"name": "desk"}, tools=[tool(get_weather)])

    @tool
    def ask_weather_desk(city: str) -> str:
        """Asks the desk for the weather in a city."""
        return str(desk(PROMPTS["tools"]))

    Agent(**guide, tools=[ask_weather_desk])(PROMPTS[name])
elif name == "error":
    try:
        Agent(**guide)(PROMPTS[name])
    except ModelThrottledException:
        pass
    else:
        raise AssertionError("the call did not fail")
else:
    Agent(**guide, tools=[tool(get_weather)] if name == "tools" else [])(PROMPTS[name])
