using System;
using System.Collections.Concurrent;
using Overlay.Crypto;
using Overlay.Engine;
using Overlay.Files;
using Overlay.Format;
using Overlay.Interop;
using Overlay.Metadata.Agent;

namespace Overlay.Pages;

/// <summary>Write-back in the agent: for processes that were killed, or ended without a word.</summary>
internal sealed class AgentPageSealer : IPageSealer
{
    private const int CacheCapacity = 1 << 20;

    private readonly ConcurrentDictionary<string, VolumeAccess> _volumes = new();
    private readonly uint _bootWord = FileEngine.ReadBootWord();

    public void Seal(PageSealOrder order, ReadOnlySpan<byte> keys)
    {
        VolumeAccess volume = _volumes.GetOrAdd(order.VolumeRoot, root => new VolumeAccess(root, _bootWord));
        using BlockCache cache = new(CacheCapacity);
        byte[] kept = GC.AllocateUninitializedArray<byte>(keys.Length, pinned: true);
        // The description that we were given is the program's, which may have made it append or O_DIRECT since.
        int own = KernelFile.Reopen(order.Backing, Kernel.O_RDWR);
        try
        {
            if (own < 0 && !IsFit(order.Backing))
                throw new ErrnoException(Errno.EACCES, "the file cannot be opened to seal what was stored by mapping it");
            keys.CopyTo(kept);
            string name = KernelFile.PathOf(order.Backing);
            CoherenceTable shared = volume.Coherence;
            FileContext context = new(new Backing(own >= 0 ? own : order.Backing), shared.LockOf(order.Inode), shared.For(order.Inode),
                shared.RedoOf(KernelFile.Status(order.Backing).Device, order.Inode), new Log(name), cache, order.VolumeId, _bootWord, order.BlockSizeLog2);
            OpenResult result = SealedFile.Open(context, new GivenKeys(order.FileId, kept), out SealedFile? file);
            if (file is null)
                throw new ErrnoException(Errno.EIO, $"{name}: {result.Reason}");
            using (file)
            {
                using PageSealing sealing = new(file, new PageFile(order.Pages), () => true);
                _ = sealing.Run(0, long.MaxValue);
                file.Settle();
            }
        }
        finally
        {
            Secret.Wipe(kept);
            if (own >= 0)
                _ = Kernel.Close(own);
        }
    }

    public unsafe long ClaimedSize(int backing)
    {
        Span<byte> head = stackalloc byte[FormatConstants.HeaderSize];
        bool isHeader = KernelFile.Read(backing, 0, head) == head.Length & FileHeader.Parse(head, out FileHeader header) == HeaderFault.Ok;
        return isHeader ? header.Size : -1;
    }

    /// <summary>A file whose mode keeps us out is written through what we have, if that writes where it is told to.</summary>
    private static bool IsFit(int fd) =>
        Kernel.Control(fd, Kernel.F_GETFL, 0) is int flags and >= 0 && (flags & (Kernel.O_APPEND | Kernel.O_DIRECT)) == 0;

    private sealed class VolumeAccess(string root, uint bootWord)
    {
        internal CoherenceTable Coherence { get; } = MapTable(root, bootWord);

        private static CoherenceTable MapTable(string root, uint bootWord)
        {
            int table = Open(root, "coherence");
            try
            {
                return new CoherenceTable(table, new LockFile(() => Open(root, "locks")), bootWord);
            }
            finally
            {
                _ = Kernel.Close(table);
            }
        }

        private static int Open(string root, string name)
        {
            int fd = KernelFile.Open(Kernel.CurrentDirectory, $"{root}/.overlay/{name}", Kernel.O_RDWR);
            return fd >= 0 ? fd : throw KernelFile.Failure($"{root}/.overlay/{name} cannot be opened");
        }
    }

    private sealed class Log(string name) : IFaultLog
    {
        public void Write(string cause) => EngineLog.Write(name, cause);
    }

    /// <summary>As they were when the order was given: a file that has come further since is sealed when it is ordered again.</summary>
    private sealed class GivenKeys(byte[] fileId, byte[] keys) : IKeySource
    {
        public bool TryGetKey(ReadOnlySpan<byte> wantedId, Span<byte> target)
        {
            if (!wantedId.SequenceEqual(fileId))
                return false;
            keys.AsSpan(0, DataKey.KeySize).CopyTo(target);
            return true;
        }

        public int GetKeysAnew(ReadOnlySpan<byte> wantedId, Span<byte> target)
        {
            if (!wantedId.SequenceEqual(fileId))
                return 0;
            keys.CopyTo(target);
            return keys.Length / DataKey.KeySize;
        }
    }

    /// <summary>A descriptor that is the agent's.</summary>
    private sealed class Backing(int fd) : IBackingFile
    {
        public long Length => KernelFile.Status(fd).Size;

        public int Read(long offset, Span<byte> buffer) => KernelFile.Read(fd, offset, buffer);

        public void Write(long offset, ReadOnlySpan<byte> data) => KernelFile.Write(fd, offset, data);

        public void SetLength(long length) => KernelFile.SetLength(fd, length);

        public void PunchHole(long offset, long length) => KernelFile.PunchHole(fd, offset, length);

        public void Sync(bool dataOnly) => KernelFile.Sync(fd, dataOnly);
    }
}
