//! `Validate`, the trait by which each section of a configuration reports its problems, and their collector.

use std::fmt;

use crate::error::ConfigError;
use crate::problem::Problem;

/// A configuration, or a section of one, that checks its own values.
pub trait Validate {
    /// Adds everything that is wrong with the values to `problems`.
    fn validate(&self, problems: &mut Problems);

    /// Checks the configuration.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with every problem.
    fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Problems::default();
        self.validate(&mut problems);
        problems.into_result()
    }
}

/// Collects problems, each under the path of its setting.
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<Problem>,
    /// Path of the section under validation, with a dot at its end.
    section: String,
}

impl Problems {
    /// Unless `holds`, reports that the setting `key` of the current section `message`s: "must be ...", "is not ...".
    pub fn require(&mut self, holds: bool, key: &str, message: impl Into<String>) {
        if !holds {
            let key = format!("{}{key}", self.section);
            self.found.push(Problem { key, message: message.into(), source: None });
        }
    }

    /// Reports `key` if `value` is less than `least`.
    pub fn at_least<N: PartialOrd + fmt::Display>(&mut self, key: &str, value: N, least: N) {
        self.require(value >= least, key, format!("must be at least {least}"));
    }

    /// Reports `key` if `value` is more than `most`.
    pub fn at_most<N: PartialOrd + fmt::Display>(&mut self, key: &str, value: N, most: N) {
        self.require(value <= most, key, format!("must be at most {most}"));
    }

    /// Reports `key` if `value` is less than `least`, the value of the setting `other` of the same section.
    pub fn not_less_than<N: PartialOrd>(&mut self, key: &str, value: N, other: &str, least: N) {
        self.require(value >= least, key, format!("must not be less than {}{other}", self.section));
    }

    /// Validates `section`, which is the section `name` of the current one.
    pub fn section(&mut self, name: &str, section: &impl Validate) {
        let outer = self.section.len();
        self.section.push_str(name);
        self.section.push('.');
        section.validate(self);
        self.section.truncate(outer);
    }

    fn into_result(self) -> Result<(), ConfigError> {
        if self.found.is_empty() { Ok(()) } else { Err(ConfigError::Invalid(self.found)) }
    }

    /// The problems, in the order in which they were reported.
    pub fn into_found(self) -> Vec<Problem> {
        self.found
    }
}
