//! A price: what a provider takes for a model, from a moment on.

use std::fmt;

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::named;
use llm_observatory_core::time::UnixNanos;

/// The provider of a price that is valid whoever the provider is.
pub const ANY_PROVIDER: &str = "*";

named! {
    /// What is counted and paid for.
    Unit {
        /// A token that goes in, if none of the units below has a rate for it.
        Input = "input",
        /// A token of the input that the provider reads from its cache.
        CacheRead = "cache_read",
        /// A token of the input that the provider writes to its cache, for five minutes or as long as it likes.
        CacheCreation5m = "cache_creation_5m",
        /// A token of the input that the provider writes to its cache, for an hour.
        CacheCreation1h = "cache_creation_1h",
        /// A token of the input that is audio.
        InputAudio = "input_audio",
        /// A token of the input that is a part of an image.
        InputImage = "input_image",
        /// A token that comes out, if none of the units below has a rate for it.
        Output = "output",
        /// A token of the output that is reasoning.
        Reasoning = "reasoning",
        /// A token of the output that is audio.
        OutputAudio = "output_audio",
        /// A token of the output that is a part of an image.
        OutputImage = "output_image",
        /// A call.
        Request = "request",
        /// A second that the call takes.
        Second = "second",
    }
}

impl Unit {
    /// Whether it is a kind of token.
    pub const fn is_token(self) -> bool {
        !matches!(self, Self::Request | Self::Second)
    }

    /// The unit whose rate is taken where a price has none for this one. A provider that names no rate for a part of the
    /// input bills it as input, and likewise the output. Both source catalogues mean it so.
    pub const fn fallback(self) -> Option<Self> {
        match self {
            Self::CacheCreation1h => Some(Self::CacheCreation5m),
            Self::CacheRead | Self::CacheCreation5m | Self::InputAudio | Self::InputImage => {
                Some(Self::Input)
            }
            Self::Reasoning | Self::OutputAudio | Self::OutputImage => Some(Self::Output),
            Self::Input | Self::Output | Self::Request | Self::Second => None,
        }
    }
}

named! {
    /// The tier of service that answers a call.
    ServiceTier {
        /// The usual one.
        Standard = "standard",
        /// Answers within a day.
        Batch = "batch",
        /// Answers slowly when others need the machines.
        Flex = "flex",
        /// Answers faster.
        Priority = "priority",
    }
}

impl ServiceTier {
    /// The tier that a reading names. OpenAI sells `priority` under the name `fast` too. Every other word, and none, is
    /// the usual tier.
    pub fn of_reading(name: Option<&str>) -> Self {
        match name {
            Some("batch") => Self::Batch,
            Some("flex") => Self::Flex,
            Some("priority" | "fast") => Self::Priority,
            _ => Self::Standard,
        }
    }
}

/// A currency, by its three letters of ISO 4217.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// US dollars.
    pub const USD: Self = Self(*b"USD");

    /// The currency with this code: three capital letters.
    pub fn of(code: &str) -> Option<Self> {
        let code: [u8; 3] = code.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_uppercase).then_some(Self(code))
    }

    /// Its code.
    pub fn as_str(&self) -> &str {
        // Both constructors take ASCII only.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What one unit costs. Units of one price are sorted by unit, service and threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate {
    /// What is counted.
    pub unit: Unit,
    /// The tier of service that it is for.
    pub service: ServiceTier,
    /// Holds for calls with at least so many input tokens, cached ones included; 0 if for all. The whole input decides, and
    /// then all tokens of the call have this rate.
    pub from: i64,
    /// Billionths of the currency for 1,000,000 units. Never negative.
    pub price: i64,
}

/// What a provider takes for a model, from a moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    id: i64,
    /// The project that it is for; `None` if for all.
    pub project: Option<ProjectId>,
    /// The provider, by OpenTelemetry's names, or [`ANY_PROVIDER`].
    pub provider: Box<str>,
    /// The model, as the provider calls it. A `*` at the end stands for anything.
    pub model: Box<str>,
    /// It holds for calls that start at this moment or later, until the next price of the same model.
    pub valid_from: UnixNanos,
    /// The currency of its rates.
    pub currency: Currency,
    /// Its rates, sorted. Zero is a rate: free.
    pub rates: Box<[Rate]>,
    /// Where it is from.
    pub source: Box<str>,
}

/// Why something is no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Provider or model is empty, is longer than [`Price::MAX_NAME`] bytes, or holds a space or a control character.
    #[error("{0} is empty, longer than {max} bytes, or holds spaces", max = Price::MAX_NAME)]
    Name(&'static str),
    /// The source is longer than [`Price::MAX_SOURCE`] bytes, or holds control characters.
    #[error("the source is longer than {max} bytes, or holds tabs or line ends", max = Price::MAX_SOURCE)]
    Source,
    /// A `*` stands elsewhere than at the end of the model.
    #[error("* may stand at the end of a model only")]
    Star,
    /// There is no rate.
    #[error("a price needs at least one rate")]
    NoRate,
    /// Two rates are for the same unit, service and threshold.
    #[error("two rates for {0}")]
    Twice(Unit),
    /// A rate or a threshold is below zero.
    #[error("the rate of {0} is below zero, or its threshold is")]
    Negative(Unit),
}

impl PriceError {
    /// The column of the text of prices that it is about, from 0.
    pub(super) fn column(&self) -> usize {
        match self {
            Self::Name("the provider") => 0,
            Self::Name(_) | Self::Star => 1,
            Self::NoRate | Self::Twice(_) | Self::Negative(_) => 4,
            Self::Source => 5,
        }
    }
}

impl Price {
    /// The longest name of a provider or model, in bytes.
    pub const MAX_NAME: usize = 256;
    /// The longest source, in bytes.
    pub const MAX_SOURCE: usize = 1024;

    /// A price. Sorts `rates`.
    ///
    /// # Errors
    /// [`PriceError`] says what it is that a price can't be.
    pub fn new(
        project: Option<ProjectId>,
        provider: &str,
        model: &str,
        valid_from: UnixNanos,
        currency: Currency,
        mut rates: Vec<Rate>,
        source: &str,
    ) -> Result<Self, PriceError> {
        let named = |name: &str| {
            !name.is_empty()
                && name.len() <= Self::MAX_NAME
                && !name.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        if !named(provider) {
            return Err(PriceError::Name("the provider"));
        }
        if !named(model) {
            return Err(PriceError::Name("the model"));
        }
        if model.trim_end_matches('*').contains('*') || model.ends_with("**") {
            return Err(PriceError::Star);
        }
        if source.len() > Self::MAX_SOURCE || source.contains(char::is_control) {
            return Err(PriceError::Source);
        }
        rates.sort_unstable();
        if rates.is_empty() {
            return Err(PriceError::NoRate);
        }
        let key = |rate: &Rate| (rate.unit, rate.service, rate.from);
        if let Some(pair) = rates.windows(2).find(|pair| key(&pair[0]) == key(&pair[1])) {
            return Err(PriceError::Twice(pair[0].unit));
        }
        if let Some(rate) = rates.iter().find(|rate| rate.price < 0 || rate.from < 0) {
            return Err(PriceError::Negative(rate.unit));
        }
        let mut price = Self {
            id: 0,
            project,
            provider: provider.into(),
            model: model.into(),
            valid_from,
            currency,
            rates: rates.into(),
            source: source.into(),
        };
        price.id = price.content_id();
        Ok(price)
    }

    /// Its id: 63 bits of the hash of all that decides a cost, so of everything but `source`. The same facts have the same
    /// id in every version of the program.
    pub const fn id(&self) -> i64 {
        self.id
    }

    fn content_id(&self) -> i64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"llm-observatory price 1\n");
        hasher.update(&self.project.map_or(0, |project| i64::from(project.0)).to_le_bytes());
        hasher.update(&[u8::from(self.project.is_some())]);
        for name in [&*self.provider, &*self.model] {
            hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
        }
        hasher.update(&self.valid_from.0.to_le_bytes()).update(self.currency.as_str().as_bytes());
        for rate in &self.rates {
            // Names, since the numbers of an enum's variants may change.
            hasher.update(format!("{}@{}+{}={};", rate.unit, rate.service, rate.from, rate.price).as_bytes());
        }
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        (u64::from_le_bytes(first) >> 1) as i64
    }
}
