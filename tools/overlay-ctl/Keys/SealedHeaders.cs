using System;
using System.Collections.Generic;
using Overlay.Crypto;
using Overlay.Ctl.Verify;
using Overlay.Format;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Keys;

/// <summary>What the headers of a volume's sealed files say; they are not authenticated here, since no key is at hand.</summary>
internal static class SealedHeaders
{
    /// <param name="unreadable">Receives what could not be looked at.</param>
    internal static List<SealedHeader> Read(string root, ReadOnlySpan<byte> volumeId, List<string> unreadable)
    {
        VolumeWalk walk = new(new VolumePaths(root).Root, finding =>
        {
            if (finding.Kind == Kind.Unreadable)
                unreadable.Add($"{finding.Path}: {finding.Cause}");
        });
        walk.Run();
        List<SealedHeader> headers = [];
        byte[] head = new byte[FormatConstants.HeaderSize];
        foreach (string path in walk.Files)
        {
            string relative = VolumeWalk.Relative(walk.Root, path);
            try
            {
                using RawFile file = new(path);
                if (file.Read(0, head) == head.Length && FileHeader.Parse(head, out FileHeader header) == HeaderFault.Ok && FileHeader.VolumeIdOf(head).SequenceEqual(volumeId))
                    headers.Add(new SealedHeader(FileHeader.FileIdOf(head).ToArray(), header.Sequence, relative, header.KeyEpoch, header.HasTwoKeys));
            }
            catch (ErrnoException exception) when (exception.Errno != Files.Errno.ENOENT)
            {
                unreadable.Add($"{relative}: {exception.Message}");
            }
            catch (ErrnoException)
            {
                // Deleted since the directory was read.
            }
        }
        return headers;
    }
}
