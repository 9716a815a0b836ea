// Claude Code, asked one question.

import { inPackage, run, toolRan } from "./javascript/program.mjs";
import { CASE, fake, MODELS, PROMPTS } from "./javascript/scene.mjs";

// A tool of its own that needs nothing and finds nothing.
const TOOL = "Glob";
const prompt = CASE === "tools" ? `Use ${TOOL} to find Paris.` : (PROMPTS[CASE] ?? PROMPTS.chat);
const environment = {
  ANTHROPIC_BASE_URL: fake(),
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  CLAUDE_CODE_MAX_RETRIES: "0",
  CLAUDE_CODE_ENABLE_TELEMETRY: "1",
  // Spans are still an experiment of its own; by default it has log events alone.
  CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: CASE === "logs_only" ? "0" : "1",
  OTEL_TRACES_EXPORTER: "otlp",
  OTEL_LOGS_EXPORTER: "otlp",
  ...(CASE !== "no_content" && { OTEL_LOG_USER_PROMPTS: "1", OTEL_LOG_TOOL_DETAILS: "1", OTEL_LOG_TOOL_CONTENT: "1" }),
};
const program = inPackage(`@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude`);
run(program, ["-p", prompt, "--model", MODELS.anthropic, "--allowedTools", TOOL], environment);
if (CASE === "tools") toolRan(TOOL, { pattern: "Paris" }, "No files found");
