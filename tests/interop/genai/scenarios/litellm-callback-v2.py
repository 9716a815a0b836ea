"""LiteLLM's own OpenTelemetry callback in its second version, which an environment variable turns on."""

import os

from scene import case

CONTENT = {"no_content": "no_content", "chat_in_both": "span_and_event"}
os.environ["LITELLM_OTEL_V2"] = "true"
os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = CONTENT.get(case(), "span_only")

from litellm_cases import litellm, play

litellm.callbacks = ["otel"]
play(case().removesuffix("_in_both"))
