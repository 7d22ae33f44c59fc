using System;
using System.IO;
using Overlay.Engine;
using Overlay.Interop;

namespace Overlay.Tests.Engine;

/// <summary>A volume's shared files in a directory of their own; each <see cref="Join"/> is what a process has of them.</summary>
internal sealed class SharedTable : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("overlay-shared.").FullName;

    public SharedTable() => File.WriteAllBytes(Path.Combine(_directory, "locks"), []);

    /// <summary>On file systems that do not write in place there is nothing to test.</summary>
    public bool IsLocking
    {
        get
        {
            using Process joined = Join(1);
            return joined.Table.LockOf(1) is SharedLock;
        }
    }

    public Process Join(uint bootWord) => new(_directory, bootWord);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    internal sealed class Process : IDisposable
    {
        private readonly LockFile _locks;

        internal Process(string directory, uint bootWord)
        {
            _locks = new LockFile(() => Open(directory, "locks"));
            int table = Open(directory, "coherence");
            Table = new CoherenceTable(table, _locks, bootWord);
            _ = Kernel.Close(table);
        }

        internal CoherenceTable Table { get; }

        /// <summary>As by death: what it held is nobody's.</summary>
        public void Dispose() => _locks.Close();

        private static int Open(string directory, string name)
        {
            const int Create = 0x40;
            return KernelFile.Open(Kernel.CurrentDirectory, Path.Combine(directory, name), Kernel.O_RDWR | Create, 0x180);
        }
    }
}
