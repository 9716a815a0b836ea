"""Compares what was said in the calls and tools of a case with the truth."""

import re

from live_answers import REASONING, TEXT, TOOL_CALL, TOOL_RESULT, decoded, text_of

SYSTEM_ROLES = ("system", "developer")
MASK = "<masked>"
MAP = re.compile(r"""^\{['"]\w+['"]: ?['"](.*)['"]\}$""")


def check_content(book, call, span, answers):
    """What was asked and answered. Of a call that two spans tell, the one that is not billable may say it."""
    books = []
    for one in [span, *answers.twins(span)]:
        books.append(book.fork())
        compare_content(books[-1], call, one.content)
        if not books[-1].wrong:
            break
    book.add(min(books, key=lambda found: len(found.wrong)))


def compare_content(book, call, content):
    spoken = [message for message in content.input if message.role not in SYSTEM_ROLES]
    if call["texts"]:
        book.check("texts", call["texts"], [text_of(part) for message in spoken for part in message.parts])
        return
    if call["system"]:
        book.check("system", call["system"], system_of(content))
    # The responses API has calls of tools as items and not as messages, so the fakes count no message for them.
    asked = [(message["role"], message["text"]) for message in call["messages"] if message["text"]]
    said = [(role, text) for message in spoken for role, text in said_in(message) if text]
    book.check("messages", unwrapped(asked), unwrapped(said))
    if call["status"] != 200:
        return
    answer = [part for message in content.output for part in message.parts]
    if call["completion"]:
        book.check("completion", call["completion"], joined(answer))
    if call["reasoning"]:
        book.check("reasoning", call["reasoning"], joined(answer, REASONING))
    if call["tool_calls"]:
        ids, calls = tool_calls_of(answer)
        book.check("tool_calls", [{**one, "id": None} for one in call["tool_calls"]], calls)
        name = "tool_calls" if "tool_calls" in book.untold else "tool_call.id"
        book.check(name, [one["id"] for one in call["tool_calls"]], ids)


def system_of(content):
    """Instructions stand among the messages or beside them."""
    among = [joined(message.parts) for message in content.input if message.role in SYSTEM_ROLES]
    return "".join(among) or joined(content.system_instructions)


def said_in(message):
    """The fakes count each result as a message of `tool`, also where the provider puts several into one of `user`."""
    if all(part.WhichOneof("part") == TOOL_RESULT for part in message.parts):
        return [("tool", text_of(part)) for part in message.parts]
    return [(message.role, joined(message.parts))]


def joined(parts, kind=None):
    if kind == REASONING:
        return "".join(part.reasoning for part in parts)
    return "".join(map(text_of, parts))


def tool_calls_of(parts):
    """The ids of the calls, none where they are not told, and the calls without them."""
    calls = [part.tool_call for part in parts if part.WhichOneof("part") == TOOL_CALL]
    ids = [call.id for call in calls if call.id]
    return ids, [{"id": None, "name": call.name, "arguments": decoded(call.arguments)} for call in calls]


def unwrapped(messages):
    """The messages, without the map that Google wants around what a tool returned; its fake shows it as Python
    would."""
    return [(role, MAP.sub(r"\1", text) if role == "tool" else text) for role, text in messages]


def check_tools(book, truth, answers):
    """Each tool that ran has a span with its arguments and its result."""
    left = list(answers.tools)
    for run in truth["tools"]:
        books = [compare_tool(book.fork(), run, span, truth["content"]) for span in left]
        if not books:
            book.check("tools", run["name"], None)
            continue
        best = min(range(len(books)), key=lambda at: len(books[at].wrong))
        book.add(books[best])
        left.pop(best)


def compare_tool(book, run, span, has_content):
    book.check("tools", run["name"], span.told("tool_name"))
    if has_content:
        arguments = decoded(span.content.tool_arguments)
        # LangChain tells the only argument without its name.
        only = next(iter(run["arguments"].values())) if len(run["arguments"]) == 1 else None
        book.check("tool.arguments", run["arguments"], run["arguments"] if arguments == only else arguments)
        book.check("tool.result", run["result"], decoded(span.content.tool_result))
    return book


def check_nothing_said(book, truth, answers):
    """Where content is not captured, none comes out."""
    said = [message["text"] for call in truth["calls"] for message in call["messages"] if message["text"]]
    said += [call["completion"] for call in truth["calls"] if call["completion"]]
    for span in answers.spans:
        parts = [part for message in (*span.content.input, *span.content.output) for part in message.parts]
        texts = [text_of(part) for part in parts if part.WhichOneof("part") in (TEXT, TOOL_RESULT)]
        found = [text for text in texts if text != MASK and text in said]
        book.holds("no_content", not found, f"{span} says {found}")
