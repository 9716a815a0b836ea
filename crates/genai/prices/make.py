#!/usr/bin/env python3
"""Makes catalogue.tsv: what models cost, out of the packages in requirements.txt. `make prices` runs it.

    make.py DIRECTORY    # with the wheels of both packages; nothing of them is installed or run

Which package wins
    genai-prices knows since when a price holds, has it checked by people, and covers the providers that are used most.
    So its price is taken for each model that it names.
    litellm knows four times as many models, but only today's price. A model that only litellm names has litellm's price,
    valid since ever.
    Where both agree on input and output, rates that genai-prices does not have (batch, priority, reasoning, audio ...)
    come from litellm. Such a line has both as its source.
    Where genai-prices has only a pattern that a name of litellm's fits (`contains: claude-opus-4-6`), and both say the
    same, the name becomes an alias of the model. If they differ, the name keeps the price that litellm has for exactly
    this name: patterns of genai-prices do not tell regions and releases apart.

What is left out
    Off-peak hours: the dearer price of the day is taken, since nobody is charged more than that. Searches, characters,
    pages, images and seconds of audio: no LLM span counts them. Surcharges for the place of processing: no span tells it.
    Providers behind Hugging Face's router: a span does not tell which of them answered.
    Prices of zero from litellm, but for providers in FREE: elsewhere zero may mean that nobody filled it in.
"""

import ast
import json
import re
import sys
import zipfile
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

HERE = Path(__file__).parent
UNITS = [
    "input",
    "cache_read",
    "cache_creation_5m",
    "cache_creation_1h",
    "input_audio",
    "input_image",
    "output",
    "reasoning",
    "output_audio",
    "output_image",
    "request",
]
# Without a rate of its own, a unit has that of another: crates/genai/src/prices/price.rs says the same.
FALLBACK = {
    "cache_read": "input",
    "cache_creation_5m": "input",
    "cache_creation_1h": "cache_creation_5m",
    "input_audio": "input",
    "input_image": "input",
    "reasoning": "output",
    "output_audio": "output",
    "output_image": "output",
}
TIERS = ["standard", "batch", "flex", "priority"]

# Names of providers: OpenTelemetry's where it has one, else litellm's. crates/genai/src/prices/providers.rs has the same.
PROVIDERS = {
    "aws": "aws.bedrock",
    "amazon-nova": "amazon_nova",
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "azure_text": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "bedrock_mantle": "aws.bedrock",
    "codestral": "mistral_ai",
    "cohere_chat": "cohere",
    "fireworks": "fireworks_ai",
    "fireworks_ai-embedding-models": "fireworks_ai",
    "gemini": "gcp.gemini",
    "github-copilot": "github_copilot",
    "google": "gcp.gemini",
    "meta": "meta_llama",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "moonshotai": "moonshot_ai",
    "text-completion-codestral": "mistral_ai",
    "text-completion-inception": "inception",
    "text-completion-openai": "openai",
    "together": "together_ai",
    "voyageai": "voyage",
    "watsonx": "ibm.watsonx.ai",
    "x-ai": "x_ai",
    "xai": "x_ai",
    "zhipuai": "bigmodel",
}
# Providers of litellm whose zeros mean free of charge: what runs on one's own machine, and public services.
FREE = {"ollama", "lemonade", "publicai"}
# What a span may tell the tokens of.
MODES = {
    "audio_speech",
    "audio_transcription",
    "chat",
    "completion",
    "embedding",
    "evaluation",
    "image_generation",
    "realtime",
    "rerank",
    "responses",
}


def canonical(provider):
    if provider.startswith("vertex_ai"):
        return "gcp.vertex_ai"
    return PROVIDERS.get(provider, provider)


def rate(dollars, units):
    """Billionths of a dollar for a million units, when `units` cost so many dollars."""
    exact = Decimal(str(dollars)) * 10**15 / units
    return int(exact.to_integral_value(ROUND_HALF_EVEN))


# --- genai-prices: a Python file of constructor calls. It is read, not run.


def evaluate(node):
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List):
        return [evaluate(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        return {evaluate(key): evaluate(value) for key, value in zip(node.keys, node.values)}
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        if name == "Decimal":
            return Decimal(evaluate(node.args[0]))
        if name == "date":
            return date(*map(evaluate, node.args))
        return {"is": name} | {keyword.arg: evaluate(keyword.value) for keyword in node.keywords}
    return ast.unparse(node)


def genai_providers(wheel):
    tree = ast.parse(wheel.read("genai_prices/data.py"))
    values = (node.value for node in tree.body if isinstance(node, ast.AnnAssign))
    return next(evaluate(value) for value in values)


def clauses(match):
    """The texts of all clauses of a rule, with their kinds."""
    if match["is"] in ("ClauseOr", "ClauseAnd"):
        return [clause for part in match.get("or_") or match["and_"] for clause in clauses(part)]
    kind = match["is"].removeprefix("Clause")
    return [(kind, next(value for key, value in match.items() if key != "is"))]


def fits(match, name):
    if match["is"] == "ClauseOr":
        return any(fits(part, name) for part in match["or_"])
    if match["is"] == "ClauseAnd":
        return all(fits(part, name) for part in match["and_"])
    [(kind, text)] = clauses(match)
    return {
        "Equals": lambda: name == text.lower(),
        "StartsWith": lambda: name.startswith(text.lower()),
        "EndsWith": lambda: name.endswith(text.lower()),
        "Contains": lambda: text.lower() in name,
        "Regex": lambda: re.search(text, name) is not None,
    }[kind]()


GENAI_UNITS = {
    "input_mtok": ("input", 10**6),
    "cache_read_mtok": ("cache_read", 10**6),
    "cache_write_mtok": ("cache_creation_5m", 10**6),
    "cache_write_1h_mtok": ("cache_creation_1h", 10**6),
    "input_audio_mtok": ("input_audio", 10**6),
    "input_image_mtok": ("input_image", 10**6),
    "output_mtok": ("output", 10**6),
    "output_reasoning_mtok": ("reasoning", 10**6),
    "output_audio_mtok": ("output_audio", 10**6),
    "output_image_mtok": ("output_image", 10**6),
    "requests_kcount": ("request", 10**3),
}


def genai_rates(prices, tier):
    rates = {}
    for key, value in prices.items():
        if key not in GENAI_UNITS or value is None:
            continue
        unit, count = GENAI_UNITS[key]
        steps = [(0, value)]
        if isinstance(value, dict):
            steps = [(0, value["base"])] + [(step["start"] + 1, step["price"]) for step in value["tiers"]]
        rates |= {(unit, tier, start): rate(price, count) for start, price in steps}
    return rates


def genai_tier(variant):
    tier = variant["when"].get("processing") or variant["when"].get("service_tier")
    return tier if len(variant["when"]) == 1 and tier in TIERS[1:] else None


def starts(constraint):
    return constraint["start_date"] if constraint else date.min


def genai_prices(model):
    """Of a model: since when -> rates."""
    prices = model["prices"]
    prices = prices if isinstance(prices, list) else [{"prices": prices}]
    kind = lambda price: (price.get("constraint") or {}).get("is")
    dated = [price for price in prices if kind(price) != "TimeOfDateConstraint"]
    # What holds in some hours of the day, counts from the day on which the last of the others begins.
    hours = [price for price in prices if kind(price) == "TimeOfDateConstraint"]
    variants = [
        (starts(variant.get("constraint")), tier, variant["prices"])
        for variant in model.get("price_variants") or []
        if (tier := genai_tier(variant))
    ]
    days = {starts(price.get("constraint")) for price in dated} | {day for day, _, _ in variants}
    result = {}
    for day in sorted(days):
        known = [price for price in dated if starts(price.get("constraint")) <= day]
        if not known:
            continue
        last = max(known, key=lambda price: starts(price.get("constraint")))
        rates = genai_rates(last["prices"], "standard")
        if last is max(dated, key=lambda price: starts(price.get("constraint"))):
            for price in hours:
                for key, value in genai_rates(price["prices"], "standard").items():
                    rates[key] = max(value, rates.get(key, 0))
        for since, tier, prices in variants:
            if since <= day:
                rates |= genai_rates(prices, tier)
        if not rates and model["id"].endswith(":free"):
            rates = {(unit, "standard", 0): 0 for unit in ("input", "output")}
        if rates and rates != next(reversed(result.values()), None):
            result[day] = rates
    return result


# --- litellm


LITELLM_UNITS = {
    "input_cost_per_token": "input",
    "cache_read_input_token_cost": "cache_read",
    "input_cost_per_token_cache_hit": "cache_read",
    "cache_creation_input_token_cost": "cache_creation_5m",
    "cache_creation_input_token_cost_above_1hr": "cache_creation_1h",
    "input_cost_per_audio_token": "input_audio",
    "input_cost_per_image_token": "input_image",
    "output_cost_per_token": "output",
    "output_cost_per_reasoning_token": "reasoning",
    "output_cost_per_audio_token": "output_audio",
    "output_cost_per_image_token": "output_image",
    "input_cost_per_request": "request",
}
LITELLM_FIELD = re.compile(r"(.*?)(?:_above_(\d+)k_tokens)?(?:_(batches|flex|priority))?")


def litellm_rates(entry, at_least):
    """`at_least`: whether the dearer rates begin at the threshold, not above it."""
    rates = {}
    fields = [(key, value, 0) for key, value in entry.items()]
    for step in entry.get("tiered_pricing") or []:
        start = int(step["range"][0]) if "range" in step else None
        if start is not None:
            fields += [(key, value, start + 1 if start else 0) for key, value in step.items()]
    for field, value, start in fields:
        name, thousands, tier = LITELLM_FIELD.fullmatch(field).groups()
        unit = LITELLM_UNITS.get(name)
        if field == "input_cost_per_query" and entry.get("mode") == "rerank":
            unit = "request"
        if unit is None or isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            continue
        if thousands:
            start = int(thousands) * 1000 + (0 if at_least else 1)
        tier = {"batches": "batch", None: "standard"}.get(tier, tier)
        rates.setdefault((unit, tier, start), rate(value, 1))
    return rates


def litellm_models(wheel):
    """(provider, model) -> rates"""
    entries = json.loads(wheel.read("litellm/model_prices_and_context_window_backup.json"))
    models = {}
    for key, entry in sorted(entries.items()):
        route = entry.get("litellm_provider")
        if not route or key == "sample_spec" or entry.get("mode", "chat") not in MODES or "commitment" in key:
            continue
        provider, model = canonical(route), key
        first, _, rest = key.partition("/")
        if rest and (first == route or canonical(first) == provider):
            model = rest
        rates = litellm_rates(entry, at_least=provider == "x_ai")
        base = [rates.get((unit, "standard", 0)) for unit in ("input", "output", "request")]
        if base[0]:
            # Who takes nothing for writing to a cache still takes what input costs.
            rates = {key: value for key, value in rates.items() if value or not key[0].startswith("cache_creation")}
        if not any(base) and (provider not in FREE or base[0] is None or key.endswith("-cloud")):
            continue
        if base[2] and not any(base[:2]):
            rates = {key: value for key, value in rates.items() if key[0] == "request"}
        name = model.lower()
        if " " in name:
            continue
        # A key without its route is the one that people write, and comes with litellm's own care.
        if (provider, name) not in models or model == key:
            models[provider, name] = rates
    return models


# --- both together


def base_of(rates):
    return [rates.get((unit, "standard", 0)) for unit in ("input", "output")]


def agree(rates, of_litellm):
    """Whether both say the same for the usual tier of service, as far as litellm says something."""
    usual = {key: value for key, value in needed(of_litellm).items() if key[1] == "standard"}
    return all(rates.get(key) == value for key, value in usual.items()) and base_of(rates) == base_of(of_litellm)


def filled(rates, further):
    """The rates of genai-prices, and those of litellm for units, services and thresholds that they lack."""
    units = {(unit, tier) for unit, tier, _ in rates}
    more = {key: value for key, value in further.items() if key[:2] not in units}
    return rates | more, bool(more)


class Catalogue:
    def __init__(self):
        self.prices = {}  # (provider, model, day) -> (rates, source)
        self.aliases = {}  # (provider, alias) -> model

    def add_genai(self, provider, models, litellm):
        aliases = {}
        for model in models:
            name = model["id"].lower()
            days = genai_prices(model)
            if not days or " " in name:
                continue
            kinds = clauses(model["match"])
            listed = [text.lower() for kind, text in kinds if kind == "Equals"]
            stems = [text.lower().lstrip("/") for kind, text in kinds if kind not in ("Equals", "Regex")]
            for alias in listed + stems:
                # A stem such as `ft:gpt-4o-2024-` is no name of a model, but the beginning of one.
                beginning = alias.endswith(("-", "@")) or (alias in stems and alias.startswith("ft:"))
                alias = alias + "*" if beginning else alias
                if " " not in alias and alias != name:
                    aliases.setdefault(alias, name)
            fitting = [of for who, of in sorted(litellm) if who == provider and fits(model["match"], of)]
            further = [litellm[provider, of] for of in [name, *reversed(fitting)] if (provider, of) in litellm]
            last = None
            for day, rates in days.items():
                source = "genai-prices"
                # The name itself comes first, else the newest of those that fit.
                agreeing = (more for more in further if base_of(more) == base_of(rates))
                rates, more = filled(rates, next(agreeing, {}))
                source += "+litellm" if more else ""
                if rates != last:
                    self.prices[provider, name, day] = (rates, source)
                last = rates
        known = {model for of, model, _ in self.prices if of == provider}
        for alias, name in aliases.items():
            if alias not in known:
                self.aliases[provider, alias] = name
        self.add_names(provider, models, litellm, known)

    def add_names(self, provider, models, litellm, known):
        """Names of litellm's that fit only a pattern of genai-prices."""
        for (of, name), rates in litellm.items():
            if of != provider or name in known or (of, name) in self.aliases:
                continue
            # Bedrock's ids end in a version of its API: no reason to believe litellm more.
            stem = re.sub(r"(-v\d+)?:\d+$", "", name)
            # But litellm knows what the government's cloud costs, which genai-prices takes for a region like others.
            if (of, stem) in self.aliases and not name.startswith("us-gov."):
                self.aliases[of, name] = self.aliases[of, stem]
                continue
            model = next((model for model in models if fits(model["match"], name)), None)
            if model and model["id"].lower() in known:
                days = [day for who, what, day in self.prices if (who, what) == (of, model["id"].lower())]
                if agree(self.prices[of, model["id"].lower(), max(days)][0], rates):
                    self.aliases[of, name] = model["id"].lower()

    def add_litellm(self, litellm):
        known = {(provider, model) for provider, model, _ in self.prices}
        for (provider, model), rates in litellm.items():
            if (provider, model) not in known and (provider, model) not in self.aliases:
                self.prices[provider, model, date.min] = (rates, "litellm")

    def lines(self):
        for (provider, model, day), (rates, source) in self.prices.items():
            since = "-" if day == date.min else day.isoformat()
            yield f"{provider}\t{model}\t{since}\tUSD\t{text(rates)}\t{source}"
        for (provider, alias), model in self.aliases.items():
            yield f"{provider}\t{alias}\t=\t{model}"


def needed(rates):
    """The rates without those that say what holds without them too."""
    of = lambda unit: {key[1:]: value for key, value in rates.items() if key[0] == unit}
    # A cached hour falls back to cached minutes, so these must go first, or not at all.
    for unit in ("cache_creation_1h", "cache_creation_5m", *FALLBACK):
        keeps = unit == "cache_creation_5m" and of("cache_creation_1h")
        if of(unit) and of(unit) == of(FALLBACK[unit]) and not keeps:
            rates = {key: value for key, value in rates.items() if key[0] != unit}
    return rates


def text(rates):
    order = lambda item: (UNITS.index(item[0][0]), TIERS.index(item[0][1]), item[0][2])
    return " ".join(
        unit
        + (f"@{tier}" if tier != "standard" else "")
        + (f">{start - 1}" if start else "")
        + f"={amount(value)}"
        for (unit, tier, start), value in sorted(needed(rates).items(), key=order)
    )


def amount(value):
    return f"{Decimal(value) / 10**9:f}"


def main(directory):
    [genai_wheel] = Path(directory).glob("genai_prices-*.whl")
    [litellm_wheel] = Path(directory).glob("litellm-*.whl")
    pins = re.findall(r"^(?:# as of|[a-z-]+==)\s*\S+", (HERE / "requirements.txt").read_text(), re.M)
    with zipfile.ZipFile(litellm_wheel) as wheel:
        litellm = litellm_models(wheel)
    with zipfile.ZipFile(genai_wheel) as wheel:
        providers = genai_providers(wheel)
    catalogue = Catalogue()
    for provider in providers:
        name, models = provider["id"], provider["models"]
        if name.startswith("huggingface_"):
            continue
        if name == "google":
            # genai-prices has one provider for both of Google's doors. Models of others are behind one of them only.
            catalogue.add_genai("gcp.vertex_ai", models, litellm)
            models = [model for model in models if "claude" not in model["id"]]
        catalogue.add_genai(canonical(name), models, litellm)
    catalogue.add_litellm(litellm)
    head = [
        "# What models cost: facts out of " + " and ".join(pins[1:]) + " (both MIT licence), " + pins[0].lstrip("# "),
        "# Made by make.py, which says which of the two wins where both know a model. `make prices` makes it anew.",
        "# provider, model, valid from, currency, rates for 1,000,000 units, source; or provider, alias, =, model",
    ]
    lines = sorted(catalogue.lines(), key=lambda line: line.split("\t")[:3])
    (HERE / "catalogue.tsv").write_text("\n".join(head + lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
