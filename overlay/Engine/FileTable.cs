using System.Collections.Generic;
using System.Threading;
using Overlay.Crypto;

namespace Overlay.Engine;

/// <summary>What this process has open: by descriptor and by inode. One lock; nothing slow happens under it.</summary>
internal sealed class FileTable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(ulong Device, ulong Inode), OpenFile> _byInode = [];
    private OpenFile?[] _byDescriptor = new OpenFile?[64];

    /// <summary>The file behind fd, with an operation begun on it; null if fd is not known.</summary>
    internal OpenFile? Begin(int fd)
    {
        lock (_gate)
        {
            OpenFile? file = (uint)fd < (uint)_byDescriptor.Length ? _byDescriptor[fd] : null;
            file?.BeginOperation();
            return file;
        }
    }

    internal OpenFile? Begin(ulong device, ulong inode)
    {
        lock (_gate)
        {
            OpenFile? file = _byInode.GetValueOrDefault((device, inode));
            file?.BeginOperation();
            return file;
        }
    }

    internal bool AreOneFile(int first, int second)
    {
        lock (_gate)
            return (uint)first < (uint)_byDescriptor.Length && (uint)second < (uint)_byDescriptor.Length && _byDescriptor[first] is { } file && file == _byDescriptor[second];
    }

    internal void Add(int fd, OpenFile file)
    {
        lock (_gate)
        {
            if (fd >= _byDescriptor.Length)
                System.Array.Resize(ref _byDescriptor, System.Math.Max(fd + 1, _byDescriptor.Length * 2));
            _byDescriptor[fd] = file;
            _byInode[(file.Device, file.Inode)] = file;
            ProcessCounters.CountOpen(_byInode.Count);
        }
    }

    /// <summary>Takes fd out; returns what it was.</summary>
    internal OpenFile? Remove(int fd)
    {
        lock (_gate)
        {
            if ((uint)fd >= (uint)_byDescriptor.Length || _byDescriptor[fd] is not OpenFile file)
                return null;
            _byDescriptor[fd] = null;
            return file;
        }
    }

    internal void RemoveInode(OpenFile file)
    {
        lock (_gate)
        {
            _byInode.Remove((file.Device, file.Inode));
            ProcessCounters.ShowOpen(_byInode.Count);
        }
    }

    /// <summary>Everything, and closes nothing.</summary>
    internal void Forget()
    {
        lock (_gate)
        {
            System.Array.Clear(_byDescriptor);
            _byInode.Clear();
        }
    }

    internal OpenFile[] All()
    {
        lock (_gate)
        {
            OpenFile[] files = new OpenFile[_byInode.Count];
            _byInode.Values.CopyTo(files, 0);
            return files;
        }
    }
}
