using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;

namespace Overlay.Engine;

/// <summary>
/// What any write takes away from a file: set-user-id and set-group-id (not if root writes) and capabilities. A program that sets them last, as cp, tar and
/// install do, finds them after its close and sync, where the engine writes once more.
/// </summary>
internal sealed unsafe partial class OpenFile
{
    private const uint SetIdBits = 0xC00, AnyoneExecutes = 0x49;
    private const int LongestCapability = 64;

    private static ReadOnlySpan<byte> CapabilityName => "security.capability\0"u8;

    /// <summary>Bytes of the file's capabilities; 0: it has none. Only asked of what can be executed: that costs a call.</summary>
    private int ReadCapability(in Kernel.StatusBuffer status, Span<byte> capability)
    {
        if ((status.Mode & AnyoneExecutes) == 0)
            return 0;
        fixed (byte* name = CapabilityName, value = capability)
            return (int)Math.Max(Kernel.GetAttribute(_fd, name, value, (nuint)capability.Length), 0);
    }

    /// <summary>Before the process may become a user who cannot give back what a write takes away: what is left to be written is written now.</summary>
    internal void SettleIfPrivileged()
    {
        if (!_canWrite || !File.NeedsSettling)
            return;
        try
        {
            Kernel.StatusBuffer status = KernelFile.Status(_fd);
            if ((status.Mode & SetIdBits) != 0 || ReadCapability(status, stackalloc byte[LongestCapability]) != 0)
                File.Settle();
        }
        catch (ErrnoException exception)
        {
            EngineLog.Write(Log.Path, exception.Message); // its last close has it to do, as always
        }
    }

    /// <summary>As far as this process may.</summary>
    private void RestorePrivileges(in Kernel.StatusBuffer before, ReadOnlySpan<byte> capability)
    {
        if ((before.Mode & SetIdBits) != 0)
        {
            uint mode = KernelFile.Status(_fd).Mode & 0xFFFu;
            uint lost = before.Mode & SetIdBits & ~mode;
            if (lost != 0)
                _ = Kernel.ChangeMode(_fd, mode | lost);
        }
        if (capability.IsEmpty)
            return;
        fixed (byte* name = CapabilityName, value = capability)
            _ = Kernel.SetAttribute(_fd, name, value, (nuint)capability.Length, 0);
    }
}
