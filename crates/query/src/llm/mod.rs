//! Questions about LLM spans: which there are, what was said in one, what it cost and why, which models were called, and
//! what models cost.

mod content;
mod cost;
mod found;
mod list;
mod model;
mod price;
mod span;
mod whole;

pub use cost::{Calculation, CostExplained, ExplainCost, Why};
pub use list::ListLlmSpans;
pub use model::{ListModels, Model};
pub use price::{ListPrices, OwnedPrice};
pub use span::LlmSpan;
pub use whole::{GetLlmSpan, WholeLlmSpan};

pub use llm_observatory_genai::prices::{
    Cost, Currency, EXACT, Layer, Line, NameOf, NoCost, Price, Rate, Rule, ServiceTier, Unit,
    about as about_catalogue,
};
pub use llm_observatory_genai::speaker::Speaker;
pub use llm_observatory_storage::models::LlmRow;
pub use llm_observatory_storage::models::attributes::to_key_value as key_value;
pub use llm_observatory_storage::repositories::llm::{LlmOrder, LlmSelection, ModelOrder, ModelUsage, Range};
