//! What is wrong with a configuration, and the one way in which every section of it tells that.

use std::fmt;

use crate::error::ConfigError;
use crate::problem::Problem;

/// A configuration, or a section of one, that knows what must hold for it.
pub trait Validate {
    /// Tells `problems` everything that is wrong with the values.
    fn validate(&self, problems: &mut Problems);

    /// Whether the configuration can be used.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with every problem at once.
    fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Problems::default();
        self.validate(&mut problems);
        problems.into_result()
    }
}

/// Collects what is wrong, each problem under the path of its setting.
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<Problem>,
    /// The path of the section that is being looked at, with a dot at its end.
    section: String,
}

impl Problems {
    /// The setting `key` of the section at hand must be as `message` says, if this does not hold.
    pub fn require(&mut self, holds: bool, key: &str, message: impl Into<String>) {
        if !holds {
            let key = format!("{}{key}", self.section);
            self.found.push(Problem { key, message: message.into(), source: None });
        }
    }

    /// `value` must not be less than `least`.
    pub fn at_least<N: PartialOrd + fmt::Display>(&mut self, key: &str, value: N, least: N) {
        self.require(value >= least, key, format!("must be at least {least}"));
    }

    /// `value` must not be more than `most`.
    pub fn at_most<N: PartialOrd + fmt::Display>(&mut self, key: &str, value: N, most: N) {
        self.require(value <= most, key, format!("must be at most {most}"));
    }

    /// `value` must not be less than that of the setting `other` beside it.
    pub fn not_less_than<N: PartialOrd>(&mut self, key: &str, value: N, other: &str, least: N) {
        self.require(value >= least, key, format!("must not be less than {}{other}", self.section));
    }

    /// What is wrong with the section `name` of the section at hand.
    pub fn section(&mut self, name: &str, section: &impl Validate) {
        let outer = self.section.len();
        self.section.push_str(name);
        self.section.push('.');
        section.validate(self);
        self.section.truncate(outer);
    }

    /// Nothing, or everything that was found as an error.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] when anything was found.
    pub fn into_result(self) -> Result<(), ConfigError> {
        if self.found.is_empty() { Ok(()) } else { Err(ConfigError::Invalid(self.found)) }
    }

    /// Everything that was found.
    pub fn into_found(self) -> Vec<Problem> {
        self.found
    }
}
