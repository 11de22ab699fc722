// Findings that a tenant admin's approval mends.
import type { Finding } from "../bindings";

const codes = [
  "consent_required",
  "missing_scope",
  "AADSTS65001",
  "AADSTS65004",
  "AADSTS90093",
  "AADSTS90094",
  "AADSTS90095",
  "AADSTS900941",
  "AADSTS900981",
  "access_denied",
  "approval_denied",
];

/** Whether the admin is the one to ask. */
export const needsApproval = (finding: Finding): boolean =>
  codes.some(
    (code) =>
      code.toLowerCase() ===
      // Behind the same answer twice stands the answer.
      (finding.args.said ?? finding.code).toLowerCase(),
  );
