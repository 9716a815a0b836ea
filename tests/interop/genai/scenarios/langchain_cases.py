"""The cases that LangChain plays over the OpenAI or Anthropic client, whoever instruments it."""

from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

import scene
from scene import MAX_TOKENS, MODELS, PROMPTS, SYSTEM, fake

get_weather = tool(scene.get_weather)


def model(name=MODELS["openai"], **more):
    return ChatOpenAI(model=name, base_url=fake("/v1"), max_retries=0, **more)


def anthropic_model():
    from langchain_anthropic import ChatAnthropic

    return ChatAnthropic(model=MODELS["anthropic"], base_url=fake(), max_retries=0, max_tokens=MAX_TOKENS)


def talk(name):
    return [SystemMessage(SYSTEM), HumanMessage(PROMPTS[name])]


def play(name, config=None):
    """Plays a case; `config` goes to LangChain's calls, for session and user."""
    globals()[f"play_{name}"](config)


def play_chat(config, name="chat"):
    model(temperature=0.5, top_p=0.9, max_tokens=MAX_TOKENS, seed=7).invoke(talk(name), config)


def play_stream(config):
    for _ in model(stream_usage=True).stream(talk("stream"), config):
        pass


def play_tools(config):
    bound, said = model().bind_tools([get_weather]), talk("tools")
    first = bound.invoke(said, config)
    said.append(first)
    for call in first.tool_calls:
        said.append(ToolMessage(get_weather.invoke(call["args"], config), tool_call_id=call["id"]))
    bound.invoke(said, config)


def play_cached(config):
    model().invoke(talk("cached"), config)


def play_cached_written(config):
    model().invoke(talk("cached_written"), config)


def play_cached_anthropic(config):
    anthropic_model().invoke(talk("cached_written"), config)


def play_stream_anthropic(config):
    for _ in anthropic_model().stream(talk("cached"), config):
        pass


def play_reasoning(config):
    model(MODELS["openai_reasoning"], reasoning_effort="low").invoke(talk("reasoning"), config)


def play_reasoning_responses(config):
    summary = {"effort": "low", "summary": "auto"}
    model(MODELS["openai_reasoning"], reasoning=summary, use_responses_api=True).invoke(talk("reasoning"), config)


def play_error(config):
    try:
        model().invoke(talk("error"), config)
    except Exception as error:
        assert "429" in str(error)
        return
    raise AssertionError("the call did not fail")


def play_no_content(config):
    play_chat(config, "no_content")


def play_session(config):
    play_chat(config, "session")


def play_chain(config):
    prompt = ChatPromptTemplate.from_messages([("system", SYSTEM), ("user", "{question}")])
    chain = prompt | model() | StrOutputParser()
    chain.invoke({"question": PROMPTS["chat"]}, config)


def play_embeddings(_config):
    # LangChain would fetch a tokenizer to measure the text.
    embeddings = OpenAIEmbeddings(
        model=MODELS["openai_embeddings"], base_url=fake("/v1"), check_embedding_ctx_length=False
    )
    embeddings.embed_documents([PROMPTS["embeddings"]])


def play_agent(config):
    agent_of(model(), config)


def play_agent_anthropic(config):
    agent_of(anthropic_model(), config)


def agent_of(chat_model, config):
    from langchain.agents import create_agent

    agent = create_agent(chat_model, [get_weather], system_prompt=SYSTEM, name="weather_agent")
    agent.invoke({"messages": [{"role": "user", "content": PROMPTS["agent"]}]}, config)
