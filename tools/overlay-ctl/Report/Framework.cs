using System.Collections.Generic;

namespace Overlay.Ctl.Report;

/// <summary>A set of rules, and what of it encryption at rest concerns.</summary>
internal sealed record Framework(string Name, string Title, IReadOnlyList<Requirement> Requirements)
{
    private const string WhereElse = "Copies outside of the volume, in memory, logs, swap and backups that were made before.";
    private const string SameUser = "What a program does with a file once it has its key; each read and write; the person behind a user id; root, who can switch everything off.";

    internal static Framework Pci { get; } = new("pci", "PCI DSS 4.0.1",
    [
        new("3.5.1", "Stored PAN is unreadable anywhere it is stored.", "init, import, scan", $"Whether all PAN lies in the volume. {WhereElse}", Judgements.Sealed),
        new("3.5.1.2", "Disk-level encryption alone does not do for media that are not removable.", "run", "It is file-level encryption inside the program. Names, sizes and times of files stay readable.", Judgements.Sealed),
        new("3.6.1.2", "Keys are stored wrapped by keys at least as strong, apart from the data.", "key list, init --store", "Where key files and passphrases are kept, and who can read them.", Judgements.KeyStorage),
        new("3.6.1.3", "As few custodians of keys as possible.", "key list, key remove", "Who knows the secrets of the slots; a removed slot still opens old copies of the store.", Judgements.Custodians),
        new("3.7.1", "Strong keys are generated.", "inspect", "The quality of passphrases; the kernel's generator itself.", Judgements.Generation),
        new("3.7.4", "Keys are changed at the end of their cryptoperiod.", "key rotate, keys due", "Which period is right for you. Rewrapping does not change the file keys.", Judgements.Cryptoperiod),
        new("3.7.5", "Keys are retired, replaced or destroyed when that is necessary.", "key rotate, key change, shred", "Copies of the store that Overlay does not know: other backups and snapshots.", Judgements.Replacement),
        new("10.2.1.1", "Logs capture all individual access to cardholder data.", "audit show", SameUser, Judgements.Access),
        new("10.2.1.2", "Logs capture all actions by anyone with administrative access.", "audit show --event administration", "Administration of the machine; commands that need no key; attempts with a wrong key, which cannot be tied to the chain.", Judgements.Administration),
        new("10.2.1.3", "Logs capture all access to audit logs.", "", "Reading of the log is not recorded; that is for the host's own auditing (auditd).", Judgements.Nothing),
        new("10.2.1.4", "Logs capture all invalid logical access attempts.", "audit show --event denied", "Attempts that the kernel's permissions stopped before Overlay was asked.", Judgements.Denials),
        new("10.3.2", "Logs are protected from modification.", "audit verify", "Somebody with the volume's key can write another log. Putting back log and store together to an older state is not seen: export it.", Judgements.LogIntegrity),
        new("10.3.3", "Logs are backed up promptly to a central server.", "audit export", "Overlay exports (JSON, CEF, syslog); sending is not its job.", Judgements.Nothing),
        new("10.5.1", "Logs are kept for 12 months, three at hand.", "audit archive", "What becomes of archived files.", Judgements.Retention),
        new("11.5.2", "Changes of critical files are detected.", "verify", "It detects changes made outside of Overlay, not those that programs under it make.", Judgements.Integrity),
    ]);

    internal static Framework Hipaa { get; } = new("hipaa", "HIPAA Security Rule (45 CFR 164)",
    [
        new("164.312(a)(2)(iv)", "Encrypt and decrypt electronic protected health information.", "init, import, scan", $"Whether all of it lies in the volume. {WhereElse}", Judgements.Sealed),
        new("164.312(a)(1)", "Only those with access rights have access.", "key list", "Overlay adds a key to the permissions of files; who has which right is theirs. " + SameUser, Judgements.Custodians),
        new("164.312(b)", "Record and examine activity in systems that hold it.", "audit show", SameUser, Judgements.Access),
        new("164.312(c)(1)", "Protect it from improper alteration or destruction.", "verify", "Destruction is noticed, not prevented; what programs under Overlay alter is not improper to it.", Judgements.Integrity),
        new("164.310(d)(2)(i)", "Final disposal of it and of the media.", "shred", "Plaintext outside of the volume; copies of the store that Overlay does not know.", Judgements.Destruction),
        new("164.312(d)", "Verify who seeks access.", "", "Users are whom the operating system says they are.", Judgements.Nothing),
        new("164.312(e)(1)", "Guard it against unauthorised access while it is transmitted.", "", "Only data at rest is concerned.", Judgements.Nothing),
        new("164.308(a)(1)(ii)(D)", "Regularly review records of activity.", "audit show, report", "That somebody does it.", Judgements.LogIntegrity),
        new("164.308(a)(5)(ii)(C)", "Monitor log-in attempts and discrepancies.", "audit show --event denied", "Log-ins to the system; attempts with a wrong key.", Judgements.Denials),
        new("164.308(a)(7)(ii)(A)", "Retrievable exact copies.", "export", "Backups are made with other tools: files as they lie on disk, and the store with them.", Judgements.Nothing),
        new("164.316(b)(2)(i)", "Keep the documentation for six years.", "audit archive", "What becomes of archived files.", Judgements.Retention),
    ]);

    internal static Framework Gdpr { get; } = new("gdpr", "GDPR (Regulation (EU) 2016/679)",
    [
        new("Art. 32(1)(a)", "Encryption of personal data.", "init, import, scan", $"Whether all personal data lies in the volume. {WhereElse}", Judgements.Sealed),
        new("Art. 5(1)(f)", "Integrity and confidentiality.", "verify", "Confidentiality towards the user whose programs use the volume, and towards root.", Judgements.Integrity),
        new("Art. 17", "Erasure of personal data.", "shred", "Which files hold whose data; copies outside of the volume; copies of the store that Overlay does not know.", Judgements.Destruction),
        new("Art. 25", "Data protection by design and by default.", "key list", "Minimisation, pseudonymisation and purpose are the application's.", Judgements.KeyStorage),
        new("Art. 32(1)(b)", "Ongoing confidentiality and integrity of systems.", "key list", "Availability and resilience. Which age of keys is right for you.", Judgements.Cryptoperiod),
        new("Art. 32(1)(c)", "Restore availability after an incident.", "", "Backups are made with other tools.", Judgements.Nothing),
        new("Art. 32(1)(d)", "Regularly test the measures.", "verify, audit verify, report", "That somebody does it.", Judgements.LogIntegrity),
        new("Art. 5(2)", "Accountability: be able to demonstrate it.", "audit show, report", SameUser, Judgements.Access),
        new("Art. 32(4)", "Who acts under authority does so on instructions.", "audit show --event administration", "What they do outside of Overlay; commands that need no key.", Judgements.Administration),
        new("Art. 33, 34(3)(a)", "After a breach: was the data unintelligible to who got it?", "scan, audit show", "Whether the key was taken as well: see who holds the slots' secrets.", Judgements.Sealed),
        new("Art. 30", "Records of processing activities.", "", "What the data is for is not known to Overlay.", Judgements.Nothing),
    ]);
}
