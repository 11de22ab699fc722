//! `$filter` and `$orderby` on messages, as far as the practice tenant understands them: comparisons
//! joined by `and` ("Use query parameters to customize responses", Microsoft Graph documentation).

use std::ops::Bound;

use jiff::Timestamp;

use super::answer::Refusal;
use crate::tenant::mailboxes::ids::Key;
use crate::tenant::mailboxes::message::Message;

/// A comparison.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Clause {
    property: String,
    operator: Operator,
    value: Literal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Eq,
    Ne,
    Ge,
    Gt,
    Le,
    Lt,
}

#[derive(Debug, Clone, PartialEq)]
enum Literal {
    Text(String),
    Flag(bool),
    Time(Timestamp),
}

/// A part of a message list by time, for [`std::collections::BTreeSet::range`].
pub(super) type Span = (Bound<(Timestamp, Key)>, Bound<(Timestamp, Key)>);

/// Reads a `$filter`.
pub(super) fn parse(text: &str) -> Result<Vec<Clause>, Refusal> {
    let invalid = |why: &str| Refusal::bad(format!("Invalid filter clause: {why}"));
    let words = words(text).ok_or_else(|| invalid("There is an unterminated string literal."))?;
    let mut clauses = Vec::new();
    for part in words.split(|word| word.eq_ignore_ascii_case("and")) {
        let [property, operator, value] = part else {
            return Err(invalid(&format!("Syntax error in '{text}'.")));
        };
        let operator = match operator.as_str() {
            "eq" => Operator::Eq,
            "ne" => Operator::Ne,
            "ge" => Operator::Ge,
            "gt" => Operator::Gt,
            "le" => Operator::Le,
            "lt" => Operator::Lt,
            other => {
                return Err(invalid(&format!(
                    "'{other}' is not an operator this resource supports."
                )));
            }
        };
        let value = if let Some(text) = value.strip_prefix('\'') {
            Literal::Text(text.to_owned())
        } else if let Ok(flag) = value.parse::<bool>() {
            Literal::Flag(flag)
        } else if let Some(time) = time(value) {
            Literal::Time(time)
        } else {
            return Err(invalid(&format!("'{value}' is not a literal.")));
        };
        let clause = Clause {
            property: property.clone(),
            operator,
            value,
        };
        if !clause.is_supported() {
            return Err(invalid(&format!(
                "A binary operator with incompatible types was detected, or '{property}' cannot be filtered."
            )));
        }
        clauses.push(clause);
    }
    Ok(clauses)
}

/// An instant as OData writes it; a date alone is its midnight in UTC.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let day = || {
        text.parse::<jiff::civil::Date>()
            .ok()?
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
    };
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| Some(day()?.timestamp()))
}

/// Words of a filter; a string literal is one word that starts with `'`.
fn words(text: &str) -> Option<Vec<String>> {
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => {
                let mut literal = String::from("'");
                loop {
                    match letters.next()? {
                        '\'' if letters.peek() == Some(&'\'') => {
                            letters.next();
                            literal.push('\'');
                        }
                        '\'' => break,
                        other => literal.push(other),
                    }
                }
                out.push(literal);
            }
            // Brackets around single comparisons change nothing while there is only `and`.
            ' ' | '(' | ')' => {
                if !word.is_empty() {
                    out.push(std::mem::take(&mut word));
                }
            }
            other => word.push(other),
        }
    }
    if !word.is_empty() {
        out.push(word);
    }
    Some(out)
}

impl Clause {
    fn is_supported(&self) -> bool {
        match (self.property.as_str(), &self.value) {
            ("receivedDateTime" | "sentDateTime" | "lastModifiedDateTime", Literal::Time(_)) => {
                true
            }
            ("isRead" | "isDraft" | "hasAttachments", Literal::Flag(_))
            | (
                "internetMessageId"
                | "conversationId"
                | "subject"
                | "importance"
                | "from/emailAddress/address",
                Literal::Text(_),
            ) => matches!(self.operator, Operator::Eq | Operator::Ne),
            _ => false,
        }
    }

    /// Whether the message passes.
    pub(super) fn accepts(&self, message: &Message) -> bool {
        let text = |have: &str, want: &str| have.eq_ignore_ascii_case(want);
        let equal = match &self.value {
            Literal::Time(want) => {
                let have = match self.property.as_str() {
                    "receivedDateTime" => Some(message.received),
                    "lastModifiedDateTime" => Some(message.modified),
                    _ => message.summary().sent,
                };
                return have.is_some_and(|have| match self.operator {
                    Operator::Eq => have == *want,
                    Operator::Ne => have != *want,
                    Operator::Ge => have >= *want,
                    Operator::Gt => have > *want,
                    Operator::Le => have <= *want,
                    Operator::Lt => have < *want,
                });
            }
            Literal::Flag(want) => {
                let have = match self.property.as_str() {
                    "isRead" => message.is_read,
                    "isDraft" => message.draft.is_some(),
                    _ => message.summary().has_attachments,
                };
                have == *want
            }
            Literal::Text(want) => {
                let summary = message.summary();
                match self.property.as_str() {
                    "internetMessageId" => summary.message_id.as_deref() == Some(want),
                    "conversationId" => {
                        super::messages::resource::conversation_id(summary) == *want
                    }
                    "subject" => summary
                        .subject
                        .as_deref()
                        .is_some_and(|have| text(have, want)),
                    "importance" => summary.importance == want,
                    _ => summary
                        .from
                        .as_ref()
                        .is_some_and(|from| text(&from.address, want)),
                }
            }
        };
        equal == (self.operator == Operator::Eq)
    }

    /// The Message-ID asked for by `internetMessageId eq '…'`.
    pub(super) fn message_id(&self) -> Option<&str> {
        match (&self.value, self.operator, self.property.as_str()) {
            (Literal::Text(id), Operator::Eq, "internetMessageId") => Some(id),
            _ => None,
        }
    }

    /// The instant of `receivedDateTime ge|gt …`, the only filter delta knows. `gt` becomes the next
    /// nanosecond, which no message can tell apart.
    pub(super) fn received_from(&self) -> Option<Timestamp> {
        let Literal::Time(time) = self.value else {
            return None;
        };
        match (self.property.as_str(), self.operator) {
            ("receivedDateTime", Operator::Ge) => Some(time),
            ("receivedDateTime", Operator::Gt) => {
                time.checked_add(jiff::SignedDuration::from_nanos(1)).ok()
            }
            _ => None,
        }
    }
}

/// The part of a list that the filter's bounds on `receivedDateTime` leave; nothing when it is empty.
pub(super) fn span(clauses: &[Clause]) -> Option<Span> {
    let mut low = (Timestamp::MIN, Key::MIN);
    let mut high = (Timestamp::MAX, Key::MAX);
    for clause in clauses
        .iter()
        .filter(|clause| clause.property == "receivedDateTime")
    {
        let Literal::Time(time) = clause.value else {
            continue;
        };
        let just_after = time
            .checked_add(jiff::SignedDuration::from_nanos(1))
            .unwrap_or(time);
        let just_before = time
            .checked_sub(jiff::SignedDuration::from_nanos(1))
            .unwrap_or(time);
        match clause.operator {
            Operator::Ge => low = low.max((time, Key::MIN)),
            Operator::Gt => low = low.max((just_after, Key::MIN)),
            Operator::Le => high = high.min((time, Key::MAX)),
            Operator::Lt => high = high.min((just_before, Key::MAX)),
            Operator::Eq => {
                low = low.max((time, Key::MIN));
                high = high.min((time, Key::MAX));
            }
            Operator::Ne => {}
        }
    }
    (low <= high).then_some((Bound::Included(low), Bound::Included(high)))
}

/// Reads `$orderby` and says whether it is descending. What is sorted by must come first in the filter, in
/// the same order ("List messages", "Using filter and orderby in the same query").
pub(super) fn newest_first(order: Option<&str>, filter: &[Clause]) -> Result<bool, Refusal> {
    let Some(order) = order else { return Ok(true) };
    let mut words = order.split_whitespace();
    let property = words.next().unwrap_or_default();
    let descending = match words.next().map(str::to_lowercase).as_deref() {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(_) => return Err(Refusal::bad(format!("Syntax error in '{order}'."))),
    };
    let too_complex = || {
        let text = "The restriction or sort order is too complex for this operation.";
        Refusal::new(400, "InefficientFilter", text)
    };
    if property != "receivedDateTime" || words.next().is_some() || order.contains(',') {
        return Err(too_complex());
    }
    match filter.first() {
        Some(first) if first.property != property => Err(too_complex()),
        _ => Ok(descending),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_literals_are_doubled() {
        let clauses =
            parse("internetMessageId eq '<o''neill and co@x.example>' and isRead eq false")
                .unwrap();
        assert_eq!(clauses.len(), 2);
        assert_eq!(clauses[0].message_id(), Some("<o'neill and co@x.example>"));
    }

    #[test]
    fn what_cannot_be_filtered_is_refused() {
        for bad in [
            "subject gt 'a'",
            "isRead eq 'yes'",
            "receivedDateTime ge yesterday",
            "a b",
            "subject eq 'x",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sorting_needs_its_property_first_in_the_filter() {
        let order = Some("receivedDateTime desc");
        assert!(newest_first(order, &parse("isRead eq false").unwrap()).is_err());
        assert!(
            newest_first(
                order,
                &parse("receivedDateTime ge 2026-01-01 and isRead eq false").unwrap()
            )
            .unwrap()
        );
        assert!(!newest_first(Some("receivedDateTime"), &[]).unwrap());
        assert!(newest_first(Some("subject"), &[]).is_err());
    }

    #[test]
    fn contradicting_bounds_leave_nothing() {
        assert!(
            span(
                &parse("receivedDateTime ge 2026-02-01 and receivedDateTime lt 2026-01-01")
                    .unwrap()
            )
            .is_none()
        );
        assert!(span(&parse("receivedDateTime ge 2026-01-01T00:00:00Z and receivedDateTime le 2026-01-01T00:00:00Z").unwrap()).is_some());
    }
}
