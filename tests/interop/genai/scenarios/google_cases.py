"""An application on Google's official client: what it calls in each case."""

from functools import cache

from google.genai import Client
from google.genai.errors import APIError
from google.genai.types import (
    AutomaticFunctionCallingConfig,
    Content,
    FunctionDeclaration,
    GenerateContentConfig,
    HttpOptions,
    Part,
    ThinkingConfig,
    Tool,
)

from scene import MAX_TOKENS, MODELS, PROMPTS, SYSTEM, TOOL, fake, get_weather

MODEL = MODELS["google"]
BY_HAND = AutomaticFunctionCallingConfig(disable=True)


@cache
def client():
    """The client, which closes its connections as soon as nobody holds it."""
    return Client(api_key="fake", http_options=HttpOptions(base_url=fake()))


def config(**settings):
    return GenerateContentConfig(system_instruction=SYSTEM, **settings)


def play(name):
    """Plays a case."""
    globals()[f"play_{name}"]()


def play_chat(name="chat"):
    client().models.generate_content(
        model=MODEL,
        contents=PROMPTS[name],
        config=config(
            temperature=0.5, top_p=0.9, top_k=40, max_output_tokens=MAX_TOKENS, seed=7, stop_sequences=["END"]
        ),
    )


def play_stream():
    for _ in client().models.generate_content_stream(model=MODEL, contents=PROMPTS["stream"], config=config()):
        pass


def play_tools():
    """Calls the tool by hand."""
    google = client()
    declaration = FunctionDeclaration(
        name=TOOL["name"], description=TOOL["description"], parameters_json_schema=TOOL["schema"]
    )
    offered = config(tools=[Tool(function_declarations=[declaration])], automatic_function_calling=BY_HAND)
    talk = [Content(role="user", parts=[Part(text=PROMPTS["tools"])])]
    answer = google.models.generate_content(model=MODEL, contents=talk, config=offered)
    talk.append(answer.candidates[0].content)
    for call in answer.function_calls:
        result = {"result": get_weather(**call.args)}
        talk.append(Content(role="user", parts=[Part.from_function_response(name=call.name, response=result)]))
    google.models.generate_content(model=MODEL, contents=talk, config=offered)


def play_tools_automatic():
    """The client calls the tool itself, within one call of the application."""
    client().models.generate_content(model=MODEL, contents=PROMPTS["tools"], config=config(tools=[get_weather]))


def play_cached():
    client().models.generate_content(model=MODEL, contents=PROMPTS["cached"], config=config())


def play_reasoning():
    thinking = ThinkingConfig(thinking_budget=1024, include_thoughts=True)
    client().models.generate_content(
        model=MODEL, contents=PROMPTS["reasoning"], config=config(thinking_config=thinking)
    )


def play_error():
    try:
        client().models.generate_content(model=MODEL, contents=PROMPTS["error"], config=config())
    except APIError:
        return
    raise AssertionError("the call did not fail")


def play_no_content():
    play_chat("no_content")


def play_session():
    play_chat("session")


def play_embeddings():
    client().models.embed_content(model="gemini-embedding-001", contents=PROMPTS["embeddings"])
