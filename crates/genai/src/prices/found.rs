//! A price that was found for a call, and how.

use super::price::Price;

/// Whose price it is. The first layer that knows the model decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// A price that people set for the project.
    Project,
    /// A price that people set for all projects.
    Everyone,
    /// A price of the catalogue.
    Catalogue,
}

/// The rule by which a name of a model was found: the loosest that was needed. They are tried in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// It is the name of the price, whatever its case.
    Exact,
    /// The catalogue knows it as another name of the model.
    Alias,
    /// Without a path, a provider or a region before it.
    Prefix,
    /// Without a date or a version behind it.
    Suffix,
    /// The price is for all names that begin like this.
    Pattern,
}

/// Which of the two names of a model was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameOf {
    /// The model that the response names. It is looked for first.
    Response,
    /// The model that the request names.
    Request,
}

/// A price of a call, and how it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match<'a> {
    /// The price.
    pub price: &'a Price,
    /// Whose it is.
    pub layer: Layer,
    /// By which rule.
    pub rule: Rule,
    /// By which name.
    pub name_of: NameOf,
}

macro_rules! shown {
    ($($type:ident { $($variant:ident = $text:literal,)+ })+) => {$(
        impl $type {
            /// Its name, for people and the API.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    )+};
}

shown! {
    Layer { Project = "project", Everyone = "everyone", Catalogue = "catalogue", }
    Rule { Exact = "exact", Alias = "alias", Prefix = "prefix", Suffix = "suffix", Pattern = "pattern", }
    NameOf { Response = "response", Request = "request", }
}
