using System;
using System.Security.Cryptography;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;

namespace Overlay.Ctl.Data;

/// <summary>Copies files of a volume, as plaintext, to a place outside of it.</summary>
internal sealed class ExportCopy(RawVolume volume, Tree from, Tree to, Staging staging, Transfer transfer, bool keepsOwner)
    : TreeCopy(from, to, staging, transfer, keepsOwner), IDisposable
{
    private const int Chunk = 1 << 20, MostAttempts = 3;

    private readonly byte[] _plain = GC.AllocateUninitializedArray<byte>(Chunk, pinned: true);

    public void Dispose() => CryptographicOperations.ZeroMemory(_plain);

    protected override Action CopyContent(TreeEntry entry, int number, byte[] target)
    {
        for (int attempt = 1; ; attempt++)
        {
            NodeStatus before = Look(entry.Path);
            Copy(entry.Path, number);
            bool isUnchanged = Look(entry.Path).HasContentOf(before);
            if (isUnchanged || attempt == MostAttempts)
            {
                if (!isUnchanged)
                    Transfer.Notes.Add((entry.Path, "a program was writing it: the copy may hold parts of different moments"));
                return static () => { };
            }
            Staging.Remove(number);
        }
    }

    protected override bool IsCopyOf(TreeEntry entry, byte[] target, in NodeStatus status) =>
        status.Modified.Equals(entry.Status.Modified) && status.Size == SizeOf(entry.Path);

    protected override uint ModeOf(in NodeStatus regularFile) => regularFile.Permissions & ~FormatConstants.SealedModeBit;

    private NodeStatus Look(byte[] path) => From.TryStatus(path, out NodeStatus status) ? status : throw new ErrnoException(Errno.ENOENT, "it was deleted meanwhile");

    private long SizeOf(byte[] path)
    {
        using PlainSource backing = PlainSource.Open(From, path, wantsLease: false);
        Span<byte> head = stackalloc byte[FormatConstants.HeaderSize];
        return backing.Read(0, head) == head.Length && FileHeader.Parse(head, out FileHeader header) == HeaderFault.Ok ? header.Size : 0;
    }

    private void Copy(byte[] path, int number)
    {
        int fd = Calls.OpenAt(From.ParentOf(path), Tree.NameOf(path), Calls.ReadOnly | Calls.NoFollow | Calls.NonBlocking | Calls.CloseOnExec, 0);
        if (fd < 0)
            throw Tree.Failure("it cannot be opened");
        using RawFile backing = RawFile.Take(fd, TreePath.Text(path));
        using BlockCache cache = new(Chunk);
        OpenResult result = volume.TryOpen(backing, cache, out SealedFile? opened);
        using SealedFile? file = opened;
        if (file is null && result.Status != OpenStatus.Newborn)
            throw new ErrnoException(Errno.EIO, result.Status == OpenStatus.NotSealed ? "it is not sealed" : result.Reason.Length > 0 ? result.Reason : "its header is damaged");
        using RawFile copy = RawFile.Create(Staging.PathOf(number), isSyncedByOthers: true);
        if (file is not null)
            CopyContent(file, copy);
    }

    private void CopyContent(SealedFile file, RawFile copy)
    {
        long size = file.Length;
        for (long at = NextData(file, 0, size); at < size; at = NextData(file, at, size))
        {
            long end = Math.Min(size, file.SeekHole(at));
            while (at < end)
            {
                int count = file.Read(at, _plain.AsSpan(0, (int)Math.Min(end - at, Chunk - at % Chunk)));
                if (count == 0)
                    break; // it was cut meanwhile
                copy.Write(at, _plain.AsSpan(0, count));
                Transfer.AddBytes(count);
                at += count;
            }
            if (at < end)
                break;
        }
        copy.SetLength(size);
    }

    private static long NextData(SealedFile file, long offset, long size)
    {
        if (offset >= size)
            return size;
        long start = file.SeekData(offset);
        return start < 0 ? size : start;
    }
}
