namespace Overlay.Ctl.Verify;

/// <summary>The kinds of findings: a stable name, how much they count, and what to do (docs/errors.md has the same table).</summary>
internal sealed record Kind(string Name, Weight Weight, string Remedy)
{
    private const string Restore = "restore the file from a backup, or save what can be read with 'overlay-ctl repair --salvage'";
    private const string Look = "find out who put it there; the present state is accepted with 'overlay-ctl repair --accept'";

    internal static readonly Kind DamagedHeader = new("damaged-header", Weight.Finding, Restore);
    internal static readonly Kind DamagedRecord = new("damaged-record", Weight.Finding, Restore);
    internal static readonly Kind DamagedBlock = new("damaged-block", Weight.Finding, Restore);
    internal static readonly Kind Plaintext = new("not-sealed", Weight.Finding, "move it out of the volume, and copy it in under 'overlay-ctl run' if it belongs there");
    internal static readonly Kind ForeignVolume = new("foreign-volume", Weight.Finding, "move it back to its volume, or copy it with both volumes under 'overlay-ctl run'");
    internal static readonly Kind NoKey = new("no-key", Weight.Finding, "restore the store; without its row the file cannot be read");
    internal static readonly Kind WrongKey = new("wrong-key", Weight.Finding, "restore the store, or the file");
    internal static readonly Kind DamagedKey = new("damaged-key", Weight.Finding, "restore the store");
    internal static readonly Kind SameId = new("same-id", Weight.Finding, "this is a copy made outside of Overlay: copy it under 'overlay-ctl run', then remove it");
    internal static readonly Kind Unmarked = new("unmarked", Weight.Finding, "chmod +t FILE, or open it once under 'overlay-ctl run'");
    internal static readonly Kind WrongSize = new("wrong-stat-size", Weight.Finding, "'overlay-ctl repair --reclaim' puts it right; reads are not concerned");
    internal static readonly Kind RolledBackFile = new("rolled-back-file", Weight.Finding, "restore the newest copy; " + Look);
    internal static readonly Kind RolledBackBlocks = new("rolled-back-blocks", Weight.Finding, "restore the file from a backup; " + Look);

    internal static readonly Kind Unreadable = new("unreadable", Weight.Unchecked, "run as a user who may read it");
    internal static readonly Kind UnknownVersion = new("unknown-version", Weight.Unchecked, "use a release that knows it");
    internal static readonly Kind OtherVolume = new("nested-volume", Weight.Unchecked, "verify it by itself");
    internal static readonly Kind NoLocks = new("no-locks", Weight.Unchecked, "run as a user who may write .overlay, or while nothing else uses the volume");

    internal static readonly Kind NotRemembered = new("not-remembered", Weight.Note, "run as a user who may write the store: the next run could tell if files were put back");
    internal static readonly Kind StaleSpace = new("stale-space", Weight.Note, "'overlay-ctl repair --reclaim' frees it");
    internal static readonly Kind KeyWithoutFile = new("key-without-file", Weight.Note, "nothing, if the file was deleted; else restore it from a backup");
    internal static readonly Kind Shredded = new("shredded", Weight.Note, "nothing: its key was destroyed on purpose; the file may be removed");
    internal static readonly Kind Rekeying = new("rekey-unfinished", Weight.Note, "'overlay-ctl rekey FILE' goes on with it; until then its old key stays in the store");
    internal static readonly Kind PowerLoss = new("power-loss", Weight.Note, "compare with a backup, if the program that wrote it does not recover by itself");
    internal static readonly Kind InUse = new("in-use", Weight.Note, "verify again when no program has it open, or accept its state with 'overlay-ctl repair --accept'");
}
