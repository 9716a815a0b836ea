"""Langfuse's OpenAI wrapper, below a function that Langfuse observes. It exports over OTLP/HTTP to its own address."""

import os

from langfuse import Langfuse, observe, propagate_attributes

import langfuse.openai  # wraps the OpenAI client, wherever it is used
import openai_cases
from scene import SESSION, USER, case

os.environ["LANGFUSE_OTEL_TRACES_EXPORT_PATH"] = "v1/traces"
MASK = {"mask": lambda data, **_: "<masked>"} if case() == "no_content" else {}
client = Langfuse(
    public_key="pk-lf-fake", secret_key="sk-lf-fake", base_url=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], **MASK
)


@observe
def answer(name):
    openai_cases.play(name)
    return "done"


@observe(as_type="agent")
def guide(task):
    openai_cases.get_weather = observe(as_type="tool")(openai_cases.get_weather)
    answer("tools")
    return "done"


if case() == "session":
    with propagate_attributes(session_id=SESSION, user_id=USER, tags=["beta"], metadata={"plan": "pro"}):
        answer("session")
elif case() == "agent":
    guide("weather")
else:
    answer(case())
client.shutdown()
