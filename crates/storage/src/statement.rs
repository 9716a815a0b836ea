//! SQL statements with names.

use std::sync::OnceLock;

/// A statement and its name. The name appears in log lines and, as a comment of the text, in PostgreSQL's own
/// statistics and logs.
///
/// The text is static, or composed once from a closed set of columns and conditions. Values are always parameters.
/// A test prepares every statement of [`crate::statements`] against the migrated schema.
#[derive(Debug)]
pub struct Statement {
    name: &'static str,
    text: Text,
    sql: OnceLock<String>,
}

#[derive(Debug)]
enum Text {
    Fixed(&'static str),
    Composed(fn() -> String),
    Script(&'static str),
}

impl Statement {
    /// A statement with a static text.
    pub(crate) const fn fixed(name: &'static str, text: &'static str) -> Self {
        Self { name, text: Text::Fixed(text), sql: OnceLock::new() }
    }

    /// A statement whose text a function composes at the first use, for example from the columns of a row type.
    pub(crate) const fn composed(name: &'static str, text: fn() -> String) -> Self {
        Self { name, text: Text::Composed(text), sql: OnceLock::new() }
    }

    /// Several statements without parameters, or one that can't be prepared. Later statements may need what it creates.
    pub(crate) const fn script(name: &'static str, text: &'static str) -> Self {
        Self { name, text: Text::Script(text), sql: OnceLock::new() }
    }

    /// The name, in the form `module: what the statement does`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether this is a script, which can't be prepared.
    pub const fn is_script(&self) -> bool {
        matches!(self.text, Text::Script(_))
    }

    /// The text, with the name as a comment before it.
    pub fn sql(&self) -> &str {
        self.sql.get_or_init(|| {
            let named = |text: &str| format!("/* {} */ {text}", self.name);
            match self.text {
                Text::Fixed(text) | Text::Script(text) => named(text),
                Text::Composed(compose) => named(&compose()),
            }
        })
    }
}
