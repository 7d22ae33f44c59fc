using System.Collections.Generic;
using Overlay.Interop;

namespace Overlay.Engine;

/// <summary>
/// Own descriptors of the program before this one, which an exec left open: closing one would have dropped the POSIX locks that the
/// process holds on the file (shim/native/kept.h). Each waits for its file to be attached, and is closed with it.
/// </summary>
internal sealed class KeptDescriptors
{
    private readonly List<(ulong Device, ulong Inode, int Descriptor)> _waiting = [];

    internal KeptDescriptors(IEnumerable<int> descriptors)
    {
        foreach (int fd in descriptors)
        {
            Kernel.StatusBuffer status = KernelFile.Status(fd);
            _waiting.Add((status.Device, status.Inode, fd));
        }
    }

    /// <summary>Under the engine's attach gate.</summary>
    internal void GiveTo(OpenFile file)
    {
        for (int i = _waiting.Count; --i >= 0;)
        {
            if (_waiting[i].Device != file.Device || _waiting[i].Inode != file.Inode)
                continue;
            file.CloseWithLast(_waiting[i].Descriptor);
            _waiting.RemoveAt(i);
        }
    }

    internal void AddTo(List<int> descriptors)
    {
        foreach ((_, _, int fd) in _waiting)
            descriptors.Add(fd);
    }
}
