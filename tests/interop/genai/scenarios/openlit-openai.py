"""OpenLIT on the OpenAI client."""

import openlit

import openai_cases
from scene import SESSION, USER, case

openlit.init(
    application_name="genai-fixture",
    capture_message_content=case() != "no_content",
    disable_metrics=True,
)
openai_cases.play(case())
