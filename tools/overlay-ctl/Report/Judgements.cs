using System.Linq;
using Overlay.Metadata.Audit;

namespace Overlay.Ctl.Report;

/// <summary>What the evidence says to questions that several requirements ask.</summary>
internal static class Judgements
{
    private const int LongestCryptoperiodDays = 365;

    internal static (Standing, string) Sealed(Evidence e) => e.IsEverythingSealed
        ? (Standing.Supported, $"{e.SealedFiles} files are sealed, none is plain. New files: {e.NewFiles}.")
        : (Standing.Attention, $"{e.PlainCount} files are plain, {e.NotSound} are of neither kind, {e.NotLookedAt} could not be looked at; {e.SealedFiles} are sealed.");

    internal static (Standing, string) KeyStorage(Evidence e) => (e.IsStoreApart ? Standing.Supported : Standing.Attention,
        $"Data keys are wrapped by the volume key, that one in {e.Slots.Count} slots: {string.Join("; ", e.Slots.Select(slot => $"{slot.Id} {slot.Kind}"))}. " +
        (e.IsStoreApart ? "The store lies apart from the data." : "The store lies in the volume, beside the data: 'init --store' keeps it apart."));

    internal static (Standing, string) Custodians(Evidence e) => (Standing.Supported,
        $"{e.Slots.Count} key slots: {string.Join("; ", e.Slots.Select(slot => $"{slot.Id} \"{slot.Label}\" since {slot.Created:yyyy-MM-dd}"))}.");

    internal static (Standing, string) Generation(Evidence e) => (Standing.Supported,
        $"Keys of 256 bits from the kernel's generator, one for each of {e.FilesByCipher.Values.Sum()} files: {string.Join(", ", e.FilesByCipher.Select(pair => $"{pair.Value} {pair.Key}"))}.");

    internal static (Standing, string) Cryptoperiod(Evidence e)
    {
        string text = $"The volume key is {e.VolumeKeyDays} days old (version {e.VolumeKeys.LastOrDefault().Version}), the oldest file key {e.OldestKeyDays} days.";
        return e.VolumeKeyDays > LongestCryptoperiodDays || e.OldestKeyDays > LongestCryptoperiodDays
            ? (Standing.Attention, text + $" More than {LongestCryptoperiodDays} days: compare with the period that you have set.") : (Standing.Supported, text);
    }

    internal static (Standing, string) Replacement(Evidence e) => (Standing.Supported,
        $"The volume key had {e.VolumeKeys.Count} versions: {string.Join("; ", e.VolumeKeys.Select(key => $"{key.Version} {key.State} since {key.Created:yyyy-MM-dd}"))}.");

    internal static (Standing, string) Destruction(Evidence e) => (Standing.Supported,
        $"The keys of {e.ShreddedFiles} files were destroyed with 'overlay-ctl shred', each with a certificate.");

    internal static (Standing, string) Access(Evidence e) => e.IsAuditOn
        ? (Standing.Supported, $"{e.CountOf(AuditKinds.Grant)} key grants and {e.CountOf(AuditKinds.Created)} created files are recorded since {e.AuditSince}, each with user, group, process, program, file and time.")
        : (Standing.Attention, "The audit log is off: 'overlay-ctl audit enable'.");

    internal static (Standing, string) Administration(Evidence e) => e.IsAuditOn
        ? (Standing.Supported, $"{e.CountOf(AuditKinds.Administration)} records of commands that unlocked the volume, {e.CountOf(AuditKinds.Log)} of the log itself.")
        : (Standing.Attention, "The audit log is off: 'overlay-ctl audit enable'.");

    internal static (Standing, string) Denials(Evidence e) => e.IsAuditOn
        ? (Standing.Supported, $"{e.CountOf(AuditKinds.Denied)} denials are recorded.") : (Standing.Attention, "The audit log is off: 'overlay-ctl audit enable'.");

    internal static (Standing, string) LogIntegrity(Evidence e) =>
        e.AuditFindings.Count > 0 ? (Standing.Attention, $"The log was found changed: {e.AuditFindings[0]}{(e.AuditFindings.Count > 1 ? $", and {e.AuditFindings.Count - 1} more" : "")}.")
        : e.IsAuditOn ? (Standing.Supported, $"{e.AuditRecords} records were verified as one chain for this report; its head is authenticated in the store.")
        : (Standing.Attention, "The audit log is off: 'overlay-ctl audit enable'.");

    internal static (Standing, string) Retention(Evidence e) => e.IsAuditOn
        ? (Standing.Supported, $"The oldest record here is of {e.AuditSince}; nothing is ever deleted, 'audit archive' moves older files away.")
        : (Standing.Attention, "The audit log is off: 'overlay-ctl audit enable'.");

    internal static (Standing, string) Integrity(Evidence e) => e.LastVerify.Length > 0
        ? (Standing.Supported, $"Every block is authenticated when it is read. The last 'overlay-ctl verify' of everything: {e.LastVerify}.")
        : (Standing.Attention, "Every block is authenticated when it is read; no 'overlay-ctl verify' of everything is recorded.");

    internal static (Standing, string) Nothing(Evidence e) => (Standing.NotCovered, "Overlay does nothing for it.");
}
