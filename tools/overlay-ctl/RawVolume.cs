using System;
using System.Collections.Generic;
using System.IO;
using Overlay.Crypto;
using Overlay.Engine;
using Overlay.Files;
using Overlay.Format;
using Overlay.Interop;
using Overlay.Metadata.Policy;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl;

/// <summary>
/// An unlocked volume whose backing files are looked at beside running programs: with their locks and counters, so that what is
/// being written is never taken for damage. Files may be opened on several threads; each inode on one at a time.
/// </summary>
internal sealed class RawVolume : IKeySource, IDisposable
{
    private readonly UnlockedVolume _volume;
    private readonly LockFile? _locks;
    private readonly CoherenceTable? _coherence;
    private PolicyDocument? _policy;

    internal uint BootWord { get; } = Format.BootWord.FromBootId(File.ReadAllBytes("/proc/sys/kernel/random/boot_id").AsSpan(0, 36));

    internal RawVolume(UnlockedVolume volume)
    {
        _volume = volume;
        // Without them (a read-only volume, or one that no program has used yet) nobody writes, and nobody needs to be waited for.
        int locks = Open(volume.Root, "locks"), coherence = Open(volume.Root, "coherence");
        IsShared = locks >= 0 && coherence >= 0;
        if (IsShared)
        {
            _locks = new LockFile(() => locks);
            _ = _locks.Open();
            _coherence = new CoherenceTable(coherence, _locks, BootWord);
        }
        else if (locks >= 0)
        {
            _ = Kernel.Close(locks);
        }
        if (coherence >= 0)
            _ = Kernel.Close(coherence);
    }

    /// <summary>Programs of this host let go of keys that were destroyed. False: they could not be told.</summary>
    internal bool TryTellShredding(bool openFilesFail, IEnumerable<ulong> inodes)
    {
        if (_coherence is null)
            return true;
        if (!_coherence.TryTellShredding(openFilesFail))
            return false;
        try
        {
            foreach (ulong inode in inodes)
                MoveCounter(inode);
            return true;
        }
        catch (ErrnoException)
        {
            return false; // no room, or nobody may lock here
        }
    }

    /// <summary>As a write would: what the filter holds of a small file is good until then, and it does not ask the engine before.</summary>
    private void MoveCounter(ulong inode)
    {
        IFileLock held = _coherence!.LockOf(inode);
        held.Enter();
        try
        {
            ICoherence counter = _coherence.For(inode);
            counter.BeginWrite();
            counter.EndWrite();
        }
        finally
        {
            held.Exit();
        }
    }

    /// <summary>How a new file there is stored.</summary>
    internal FileSettings SettingsFor(string path)
    {
        FileSettings standard = new(_volume.Suite, _volume.Compress, _volume.BlockSizeLog2);
        _policy ??= PolicyStore.ReadNewest(_volume) is StoredPolicy stored ? PolicyStore.Parse(stored, SystemAccounts.Instance, _volume.Root)
            : PolicyParser.TryParse("", SystemAccounts.Instance, out _)!;
        return _policy.SettingsFor(path, standard);
    }

    internal UnlockedVolume Unlocked => _volume;

    /// <summary>False: neither locks nor counters could be opened; a file that is being written may look damaged.</summary>
    internal bool IsShared { get; }

    internal int BlockSizeLog2 => _volume.BlockSizeLog2;

    public bool TryGetKey(ReadOnlySpan<byte> fileId, Span<byte> key)
    {
        lock (_volume)
            return _volume.TryGetFileKey(fileId, key);
    }

    public int GetKeysAnew(ReadOnlySpan<byte> fileId, Span<byte> keys)
    {
        lock (_volume)
            return _volume.GetFileKeys(fileId, keys);
    }

    internal OpenResult TryOpen(RawFile file, BlockCache cache, out SealedFile? opened) => SealedFile.Open(Context(file, cache), this, out opened);

    internal FileContext Context(RawFile file, BlockCache cache)
    {
        ulong inode = file.Status.Inode;
        return new FileContext(file, _coherence?.LockOf(inode) ?? Nobody.Instance, _coherence?.For(inode) ?? Nobody.Instance,
            _coherence?.RedoOf(file.Status.Device, inode) ?? NoRedo.Instance, file, cache,
            _volume.VolumeId.ToArray(), BootWord, _volume.BlockSizeLog2) { Keys = this };
    }

    public void Dispose()
    {
        _locks?.Close();
        _volume.Dispose();
    }

    private static int Open(string root, string name) => KernelFile.Open(Kernel.CurrentDirectory, $"{root}/.overlay/{name}", Kernel.O_RDWR);

    private sealed class Nobody : IFileLock, ICoherence
    {
        internal static readonly Nobody Instance = new();

        public ulong Word => 0;

        public void Enter() { }

        public void Exit() { }

        public void BeginWrite() { }

        public void EndWrite() { }
    }
}
