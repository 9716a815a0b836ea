//! Conditions of a list, composed for each question.
//!
//! The text of a list has the comment `/* conditions */` in the place of its conditions. Each condition is a column out
//! of a closed set per table, an operator and a parameter. The values of a question are parameters; they never become
//! text.

use super::parameter::{Bind, Parameter};

/// The place of the conditions in the text of a statement.
pub(super) const PLACE: &str = "/* conditions */";

/// The place of the comparison in the text of a column.
const COMPARISON: &str = "{}";
/// The place of the value alone.
const VALUE: &str = "{value}";

/// The columns that can narrow a list.
pub(super) trait Column: Copy + 'static {
    /// All columns, each with the operator of its conditions.
    const ALL: &'static [(Self, Operator)];

    /// The condition on the column, with `{}` for the comparison and `{value}` for the value: `service_name {}`.
    fn text(self) -> &'static str;
}

/// The comparison of a column with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// The column equals the value.
    Is,
    /// The column equals the value or is greater.
    AtLeast,
    /// The column equals the value or is less.
    AtMost,
    /// The column is an array that contains the value.
    Contains,
    /// The column is a text search vector that contains all words of the value.
    HasWords,
}

impl Operator {
    fn comparison(self, parameter: usize) -> String {
        match self {
            Self::Is => format!("= ${parameter}"),
            Self::AtLeast => format!(">= ${parameter}"),
            Self::AtMost => format!("<= ${parameter}"),
            Self::Contains => format!("@> ARRAY[${parameter}]"),
            Self::HasWords => format!("@@ plainto_tsquery('simple', ${parameter})"),
        }
    }
}

/// The parameters of a statement, and the text of its conditions.
pub(super) struct Conditions {
    text: String,
    parameters: Vec<Parameter>,
}

impl Conditions {
    /// Starts without conditions, with the parameters that the statement always has.
    pub(super) fn behind(parameters: Vec<Parameter>) -> Self {
        Self { text: String::new(), parameters }
    }

    /// Adds a condition, if there is a value.
    #[must_use]
    pub(super) fn and(mut self, column: impl Column, operator: Operator, value: Option<impl Bind>) -> Self {
        if let Some(value) = value {
            self.parameters.push(value.bind());
            self.text.push_str(&condition(column, operator, self.parameters.len()));
        }
        self
    }

    /// The text of the statement with the conditions in their place, and all parameters.
    pub(super) fn complete(self, statement: &str) -> (String, Vec<Parameter>) {
        (statement.replace(PLACE, &self.text), self.parameters)
    }
}

fn condition(column: impl Column, operator: Operator, parameter: usize) -> String {
    let compared = column.text().replace(COMPARISON, &operator.comparison(parameter));
    format!(" AND {}", compared.replace(VALUE, &format!("${parameter}")))
}

/// The text of a statement with a condition on every column, for the test that prepares it. `parameters` is the number of
/// parameters without conditions.
pub(super) fn with_all<C: Column>(statement: &str, parameters: usize) -> String {
    let numbered = C::ALL.iter().zip(parameters + 1..);
    let all: String = numbered.map(|((column, operator), n)| condition(*column, *operator, n)).collect();
    statement.replace(PLACE, &all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    enum Fruit {
        Name,
        Weight,
        Peel,
    }

    impl Column for Fruit {
        const ALL: &'static [(Self, Operator)] = &[
            (Self::Name, Operator::Is),
            (Self::Weight, Operator::AtLeast),
            (Self::Peel, Operator::HasWords),
        ];

        fn text(self) -> &'static str {
            match self {
                Self::Name => "name {}",
                Self::Weight => "weight {}",
                Self::Peel => "EXISTS (SELECT FROM peels WHERE colours {})",
            }
        }
    }

    const LIST: &str = "SELECT FROM fruits WHERE project_id = $1 /* conditions */ LIMIT $2";

    #[test]
    fn values_become_parameters_and_absent_values_add_no_condition() {
        let parameters = || vec![1.bind(), 10_i64.bind()];
        let (sql, bound) = Conditions::behind(parameters())
            .and(Fruit::Name, Operator::Is, None::<String>)
            .and(Fruit::Weight, Operator::AtLeast, Some(7))
            .and(Fruit::Peel, Operator::HasWords, Some("'; DROP TABLE fruits".to_owned()))
            .complete(LIST);
        let expected = "SELECT FROM fruits WHERE project_id = $1  AND weight >= $3 \
                        AND EXISTS (SELECT FROM peels WHERE colours @@ plainto_tsquery('simple', $4)) LIMIT $2";
        assert_eq!((sql.as_str(), bound.len()), (expected, 4));
        let (sql, bound) = Conditions::behind(parameters()).complete(LIST);
        assert_eq!((sql.as_str(), bound.len()), ("SELECT FROM fruits WHERE project_id = $1  LIMIT $2", 2));
    }

    #[test]
    fn a_list_can_be_narrowed_by_every_column_at_once() {
        let sql = with_all::<Fruit>(LIST, 2);
        assert!(sql.contains("name = $3 AND weight >= $4 AND EXISTS"), "{sql}");
    }
}
