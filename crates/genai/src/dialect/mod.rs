//! The dialects, one file each.

pub(crate) mod agent_framework;
pub(crate) mod anthropic_sdk;
pub(crate) mod claude_code;
pub(crate) mod codex;
pub(crate) mod gemini_cli;
pub(crate) mod genkit;
pub(crate) mod google_adk;
pub(crate) mod laminar;
pub(crate) mod langfuse;
pub(crate) mod langsmith;
pub(crate) mod litellm;
pub(crate) mod mcp;
pub(crate) mod mlflow;
pub(crate) mod native;
pub(crate) mod openinference;
pub(crate) mod openlit;
pub(crate) mod openllmetry;
pub(crate) mod otel_genai;
pub(crate) mod pydantic_ai;
pub(crate) mod semantic_kernel;
pub(crate) mod spring_ai;
pub(crate) mod strands;
pub(crate) mod vercel_ai;
pub(crate) mod vercel_ai_otel;
mod vercel_metadata;
