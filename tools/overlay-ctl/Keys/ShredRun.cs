using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Crypto;
using Overlay.Ctl.Terminal;
using Overlay.Ctl.Verify;
using Overlay.Files;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Keys;

/// <summary>
/// Shreds files: rows first, then what is left in the store's files and its copies, then programs are told, then it is looked whether any of the
/// files still opens. Only then a certificate is signed.
/// </summary>
internal sealed class ShredRun(RawVolume volume, IReadOnlyList<ShredTarget> targets, bool openFilesFail, IReadOnlyCollection<string> copies)
{
    internal string Number { get; } = NewNumber();

    internal RawVolume Volume => volume;

    internal IReadOnlyList<ShredTarget> Targets => targets;

    internal bool OpenFilesFail => openFilesFail;

    internal SortedDictionary<int, string> OpenBy { get; private set; } = [];

    internal List<ShreddedKey> Keys { get; private set; } = [];

    internal CopyResult? Store { get; private set; }

    internal List<CopyResult> Copies { get; private set; } = [];

    /// <summary>Null: no agent answers.</summary>
    internal bool? AgentRefuses { get; private set; }

    internal bool ProgramsWereTold { get; private set; }

    /// <summary>Files that are not the store's to read: a key that was never there cannot be certified to be destroyed.</summary>
    internal void CheckKeys()
    {
        OpenBy = Ctl.Keys.OpenBy.Find(targets);
        Keys = targets.Select(target => KeyShredder.Look(volume.Unlocked, target.FileId, target.Relative)).ToList();
        if (Keys.Find(key => !key.IsThere && key.DestroyedBefore is null) is ShreddedKey stranger)
            throw new ControlException(ExitCodes.Key, $"{FindingText.Escape(stranger.Path)}: the store has no key of this file, and does not know that it was destroyed; nothing was destroyed.");
    }

    internal void Describe(string what)
    {
        foreach (ShreddedKey key in Keys)
            Console.WriteLine($"{FindingText.Escape(key.Path)}: {(key.IsThere ? what : "was destroyed before")}");
        foreach ((int process, string name) in OpenBy)
            Console.WriteLine($"open in process {process} ({FindingText.Escape(name)})");
    }

    internal int Run(string? certificatePath)
    {
        // Whether it can be written is known before anything is destroyed.
        using ShredCertificate certificate = ShredCertificate.Begin(certificatePath ?? $"shred-{Number}.json", this);
        using (ProgressBar.OfTime(isWanted: true, "destroying keys, in the store and its copies"))
        {
            KeyShredder shredder = new(volume.Unlocked, Number);
            shredder.DestroyRows(targets.Select(target => (target.FileId, target.Relative)).ToList());
            Keys = shredder.Keys;
            ProgramsWereTold = volume.TryTellShredding(openFilesFail, targets.Select(target => target.Inode));
            Store = shredder.CleanStore();
            Copies = shredder.CleanCopies(copies);
            CheckGone();
            certificate.Complete();
        }
        return Report(certificate);
    }

    /// <exception cref="ControlException">A file still opens.</exception>
    private void CheckGone()
    {
        foreach (ShredTarget target in targets)
        {
            using RawFile file = new(target.Path);
            using BlockCache cache = new(1 << 16);
            OpenResult result = volume.TryOpen(file, cache, out SealedFile? opened);
            opened?.Dispose();
            if (result.Status != OpenStatus.NoKey)
                throw new ControlException(ExitCodes.Failed, $"{FindingText.Escape(target.Relative)} can still be opened ({result.Status}); no certificate was written. Somebody put an older store back meanwhile: run the same command again.");
        }
        AgentRefuses = AskAgent();
        if (AgentRefuses == false)
            throw new ControlException(ExitCodes.Failed, "the volume's agent still has a key of these files; no certificate was written. End that agent, and run the same command again.");
    }

    private bool? AskAgent()
    {
        try
        {
            using AgentClient client = AgentClient.Connect(AgentAddress.ForVolume(volume.Unlocked.VolumeId.Span));
            return targets.All(target => !client.HasKey(volume.Unlocked.VolumeId.Span, target.FileId));
        }
        catch (ErrnoException)
        {
            return null; // none, or none that speaks to us: what agents know they have from the store
        }
    }

    private int Report(ShredCertificate certificate)
    {
        Describe("destroyed");
        List<string> left = [];
        if (Store!.State != CopyState.Clean)
            left.Add($"{Store.Path}: old bytes are still in the store's files: another process holds them, or there is no room to rewrite them. Run the same command again later.");
        foreach (CopyResult copy in Copies.Where(copy => copy.State != CopyState.Clean))
            left.Add($"{copy.Path}: {Explain(copy)}");
        if (!ProgramsWereTold)
            left.Add("the disk is full: running programs could not be told, and may keep the keys of files that they have opened lately");
        foreach (string line in left)
            Console.Error.WriteLine($"overlay-ctl: {line}");
        Console.WriteLine($"{Keys.Count(key => key.IsThere)} keys were destroyed. The certificate is {certificate.Path}.");
        return left.Count > 0 ? ExitCodes.Unchecked : ExitCodes.Ok;
    }

    private static string Explain(CopyResult copy) => copy.State switch
    {
        CopyState.Missing => "this copy of the store is not there any more; if it was moved, name it with --backup",
        CopyState.Foreign => "this is the store of another volume; it was left as it is",
        CopyState.Remains => $"{copy.Left} keys are still in this copy of the store",
        _ => copy.Reason,
    };

    private static string NewNumber()
    {
        Span<byte> number = stackalloc byte[8];
        NonceSource.Fill(number);
        return Convert.ToHexStringLower(number);
    }
}
