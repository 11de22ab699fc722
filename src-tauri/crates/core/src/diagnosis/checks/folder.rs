//! The folder that is read.

use super::{facts, refused};
use crate::diagnosis::evidence::FolderEvidence;
use crate::diagnosis::map::Judgement;
use crate::diagnosis::{Evidence, Finding, Severity};
use crate::provider::ProviderError;

/// Judges the folder: it is still there, it is still the same one, and mail lands in it.
pub fn check(seen: &FolderEvidence) -> Judgement {
    let (name, id) = &seen.chosen;
    let gone = |evidence: Evidence| {
        let mut finding = Finding::seen("folder_gone", Severity::Failed, &evidence);
        finding.args.insert("folder".to_owned(), name.clone());
        Judgement::failed(finding, facts([("folder", name.clone())]))
    };
    let folder = match &seen.found {
        Ok(folder) => folder,
        Err(ProviderError::NotFound(evidence)) => return gone(evidence.clone()),
        Err(error) => return refused(error, facts([("folder", name.clone())])),
    };
    if seen.in_trash {
        let text = format!("{name} lies in the folder for deleted mail");
        return gone(Evidence::of(None, None, &text, &[]));
    }
    if folder.id != *id {
        let text = format!("another folder has the name {name} now");
        return gone(Evidence::of(None, None, &text, &[]));
    }
    let facts = facts([
        ("folder", folder.name.clone()),
        ("messages", folder.total.to_string()),
    ]);
    if !folder.has_had_mail && !seen.ever_seen {
        let mut finding = Finding::plain("no_recent_mail_in_folder", Severity::Warning);
        let name = folder.name.clone();
        finding.args.insert("folder".to_owned(), name);
        return Judgement::warning(finding, facts);
    }
    Judgement::ok(facts)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{said, seen};
    use super::*;
    use crate::diagnosis::map::StationState as S;
    use crate::provider::Folder;

    fn evidence(found: Result<(&str, u32), ProviderError>, ever_seen: bool) -> FolderEvidence {
        FolderEvidence {
            chosen: ("Requests".into(), "f1".into()),
            found: found.map(|(id, total)| Folder {
                id: id.into(),
                name: "Requests".into(),
                total,
                has_had_mail: total > 0,
            }),
            in_trash: false,
            ever_seen,
        }
    }

    #[test]
    fn a_folder_that_was_deleted_is_gone_although_it_can_be_read() {
        let deleted = FolderEvidence {
            in_trash: true,
            ..evidence(Ok(("f1", 3)), true)
        };
        assert_eq!(seen(&check(&deleted)), (S::Failed, "folder_gone", true));
    }

    #[test]
    fn a_folder_that_was_emptied_before_anybody_looked_has_had_mail() {
        let mut emptied = evidence(Ok(("f1", 0)), false);
        if let Ok(folder) = &mut emptied.found {
            folder.has_had_mail = true;
        }
        assert_eq!(seen(&check(&emptied)), (S::Ok, "", false));
    }

    #[test]
    fn a_folder_is_there_or_gone_or_never_filled() {
        let gone = || ProviderError::NotFound(said("ErrorItemNotFound", 404));
        for (evidence, expected) in [
            (evidence(Ok(("f1", 3)), false), (S::Ok, "", false)),
            (evidence(Ok(("f1", 0)), true), (S::Ok, "", false)),
            (
                evidence(Ok(("f1", 0)), false),
                (S::Warning, "no_recent_mail_in_folder", false),
            ),
            (
                evidence(Ok(("f2", 3)), true),
                (S::Failed, "folder_gone", true),
            ),
            (
                evidence(Err(gone()), true),
                (S::Failed, "folder_gone", true),
            ),
            (
                evidence(
                    Err(ProviderError::Forbidden(said("ErrorAccessDenied", 403))),
                    true,
                ),
                (S::Failed, "ErrorAccessDenied", true),
            ),
        ] {
            let judgement = check(&evidence);
            assert_eq!(seen(&judgement), expected, "{evidence:?}");
            if let Some(finding) = judgement.finding.filter(|f| f.code == "folder_gone") {
                assert_eq!(finding.args["folder"], "Requests");
            }
        }
    }
}
