using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Metadata.Agent;

namespace Overlay.Ctl.Data;

/// <summary>Copies a plain tree into a volume.</summary>
internal sealed class IntoImport : TreeCopy, IDisposable
{
    private const int MostAttempts = 3;

    private readonly RawVolume _volume;
    private readonly KeyPool _keys;
    private readonly Sealer _sealer;

    /// <param name="to">The volume.</param>
    internal IntoImport(RawVolume volume, Tree from, Tree to, Staging staging, Transfer transfer, bool keepsOwner)
        : base(from, to, staging, transfer, keepsOwner)
    {
        _volume = volume;
        _keys = new KeyPool(volume.Unlocked);
        _sealer = new Sealer(volume, _keys);
    }

    public void Dispose()
    {
        _sealer.Dispose();
        VolumeTree.Retire(_keys, Transfer);
    }

    protected override Action CopyContent(TreeEntry entry, int number, byte[] target)
    {
        for (int attempt = 1; ; attempt++)
        {
            using PlainSource source = PlainSource.Open(From, entry.Path, wantsLease: false);
            if (FileKinds.Of(source, _volume.Unlocked.VolumeId.Span) is not (FileKind.Plain or FileKind.Empty))
                throw new ErrnoException(Errno.EINVAL, "it is a sealed file: copy it with its volume under 'overlay-ctl run'");
            byte[] fileId = _sealer.Seal(source, Staging.PathOf(number), target, Transfer.AddBytes);
            // What is taken over are the times that the walk saw.
            if (source.IsUnchanged && source.Status.HasContentOf(entry.Status))
            {
                if ((entry.Status.Mode & NodeStatus.Sticky) != 0)
                    Transfer.Notes.Add((entry.Path, "its sticky bit, which means nothing for a file, is not to be seen in a volume"));
                return () => Note(fileId, target);
            }
            Staging.Remove(number);
            if (attempt == MostAttempts || !source.Status.HasContentOf(entry.Status))
                throw new ErrnoException(Errno.EBUSY, "it was changed while it was being read");
        }
    }

    protected override bool IsCopyOf(TreeEntry entry, byte[] target, in NodeStatus status)
    {
        using PlainSource copy = PlainSource.Open(To, target, wantsLease: false);
        Span<byte> head = stackalloc byte[FormatConstants.HeaderSize];
        bool isCopy = FileKinds.Of(copy, _volume.Unlocked.VolumeId.Span) == FileKind.Sealed && copy.Read(0, head) == head.Length &&
            FileHeader.Parse(head, out FileHeader header) == HeaderFault.Ok && header.Size == entry.Status.Size && status.Modified.Equals(entry.Status.Modified);
        if (isCopy)
            VolumeTree.NoteIfUnknown(_volume, _keys, copy, target);
        return isCopy;
    }

    protected override uint ModeOf(in NodeStatus regularFile) => regularFile.Permissions | FormatConstants.SealedModeBit;

    private void Note(byte[] fileId, byte[] target)
    {
        _keys.NoteCreated(fileId, TreePath.Text(target));
        if (_keys.IsFullOfNotes)
            _keys.Flush();
    }
}
