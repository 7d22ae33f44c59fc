using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using Overlay.Ctl.Terminal;
using Overlay.Ctl.Verify;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Keys;

/// <summary>overlay-ctl store verify: is the store, or a copy of it, sound, and does it have every file's key?</summary>
internal static class StoreVerifyCommand
{
    internal static Command Make()
    {
        Argument<string> volume = new("VOLUME") { Description = "The volume." };
        Argument<string?> file = new("FILE") { Description = "A copy of its store (default: the store itself).", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> compact = new("--compact") { Description = "Also rewrite the store's file without what was deleted from it; not with FILE." };
        Option<bool> keyless = new("--no-key") { Description = "Do not ask for a key: whether the wrapped keys are sound is not checked then." };
        KeyOptions key = new();
        Command command = new("verify", "Check the database, that every file of the volume has a key in it, and, with a key, that each of its keys is sound.") { volume, file, compact, keyless };
        key.AddTo(command);
        command.SetAction(parsed =>
        {
            string root = parsed.GetValue(volume)!;
            List<string> findings = [];
            using KeySecret? secret = parsed.GetValue(keyless) ? null : key.Read(parsed);
            long keys = parsed.GetValue(file) is string path
                ? CheckCopy(root, path, secret, findings)
                : CheckStore(root, secret, findings, parsed.GetValue(compact));
            findings.ForEach(Console.WriteLine);
            Console.WriteLine($"{keys} keys, {findings.Count} findings{(secret is null ? "; whether the keys unwrap was not checked" : "")}");
            return findings.Count > 0 ? ExitCodes.Damaged : secret is null ? ExitCodes.Unchecked : ExitCodes.Ok;
        });
        return command;
    }

    private static long CheckStore(string root, KeySecret? secret, List<string> findings, bool compacts)
    {
        using UnlockedVolume? unlocked = secret is null ? null : VolumeUnlocker.Unlock(root, secret);
        using MetadataStore? keyless = unlocked is null ? VolumeUnlocker.OpenStore(root) : null;
        long keys = Check(root, unlocked?.Store ?? keyless!, unlocked, findings);
        if (compacts && findings.Count == 0 && !StoreCleaning.TryClean((unlocked?.Store ?? keyless!).Connection))
            findings.Add("the store's files could not be rewritten: another process holds them, or there is no room");
        return keys;
    }

    private static long CheckCopy(string root, string path, KeySecret? secret, List<string> findings)
    {
        VolumeConfig config = VolumeConfig.Load(root);
        using StoreCopy copy = StoreCopy.Open(path);
        if (!copy.Store.Volume.Id.Span.SequenceEqual(config.VolumeId))
            throw new VolumeException(VolumeError.StoreDamaged, $"{path} is the store of another volume.");
        using UnlockedVolume? unlocked = secret is null ? null : VolumeUnlocker.UnlockCopy(root, path, secret);
        return Check(root, copy.Store, unlocked, findings);
    }

    private static long Check(string root, MetadataStore store, UnlockedVolume? unlocked, List<string> findings)
    {
        long done = 0, all = 0;
        using ProgressBar bar = new(isWanted: true, () => (Interlocked.Read(ref done), Interlocked.Read(ref all)), "keys");
        findings.AddRange(StoreBackup.FindDamage(store.Connection).Select(what => $"the database: {what}"));
        Dictionary<UInt128, long> known = [];
        HashSet<UInt128> shredded = ShredTable.ReadAll(store.Connection).Select(row => Key(row.FileId)).ToHashSet();
        byte[] key = GC.AllocateUninitializedArray<byte>(32, pinned: true);
        Interlocked.Exchange(ref all, store.Connection.QueryNumber("SELECT count(*) FROM file"));
        foreach (FileRow row in store.ReadFiles())
        {
            Interlocked.Increment(ref done);
            if (!known.TryAdd(Key(row.FileId.Span), row.KeyEpoch))
                findings.Add($"key {Convert.ToHexStringLower(row.FileId.Span)} is there twice");
            if (unlocked is not null && !unlocked.TryUnwrap(row, key))
                findings.Add($"{FindingText.Escape(row.Path)}: the key of {Convert.ToHexStringLower(row.FileId.Span)} does not unwrap: restore the store");
        }
        Crypto.Secret.Wipe(key);
        List<NextKey> next = NextKeyTable.ReadAll(store.Connection);
        if (unlocked is not null)
            findings.AddRange(next.Where(row => !Unwraps(unlocked, row)).Select(row => $"{FindingText.Escape(row.Path)}: the key that it is being given does not unwrap: restore the store"));
        List<string> unreadable = [];
        HashSet<UInt128> withNext = next.Select(row => Key(row.FileId)).ToHashSet();
        foreach (SealedHeader header in SealedHeaders.Read(root, store.Volume.Id.Span, unreadable).Where(header => !shredded.Contains(Key(header.FileId))))
        {
            if (!known.TryGetValue(Key(header.FileId), out long epoch))
                findings.Add($"{FindingText.Escape(header.Path)}: there is no key of this file (it was made after this copy, or the store was put back)");
            else if (!header.IsOpenedBy(epoch, withNext.Contains(Key(header.FileId))))
                findings.Add($"{FindingText.Escape(header.Path)}: the key that it has now is not here (it was rekeyed after this copy, or the store was put back)");
        }
        findings.AddRange(unreadable.Select(what => $"{FindingText.Escape(what)}: could not be looked at"));
        return known.Count;
    }

    private static bool Unwraps(UnlockedVolume unlocked, NextKey next)
    {
        byte[] keys = GC.AllocateUninitializedArray<byte>(2 * 32, pinned: true);
        try
        {
            return unlocked.GetFileKeys(next.FileId, keys) == 2;
        }
        catch (VolumeException e) when (e.Error == VolumeError.StoreDamaged)
        {
            return false;
        }
        finally
        {
            Crypto.Secret.Wipe(keys);
        }
    }

    private static UInt128 Key(ReadOnlySpan<byte> fileId) => MemoryMarshal.Read<UInt128>(fileId);
}
