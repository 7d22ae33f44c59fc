using System.Runtime.InteropServices;

namespace Overlay.Ctl.Data;

/// <summary>struct statx, as far as a copy of a file needs it (256 bytes).</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct NodeStatus
{
    internal const uint Basic = 0x7FF;
    internal const int TypeMask = 0xF000, Fifo = 0x1000, CharacterDevice = 0x2000, Directory = 0x4000, BlockDevice = 0x6000, Regular = 0x8000,
        SymbolicLink = 0xA000, Socket = 0xC000;
    internal const uint Sticky = 0x200, PermissionMask = 0xFFF;

    [FieldOffset(16)] internal uint Links;
    [FieldOffset(20)] internal uint UserId;
    [FieldOffset(24)] internal uint GroupId;
    [FieldOffset(28)] internal ushort Mode;
    [FieldOffset(32)] internal ulong Inode;
    [FieldOffset(40)] internal long Size;
    [FieldOffset(48)] internal long Sectors;
    [FieldOffset(64)] internal NodeTime Accessed;
    [FieldOffset(96)] internal NodeTime Changed;
    [FieldOffset(112)] internal NodeTime Modified;
    [FieldOffset(128)] internal uint NodeMajor;
    [FieldOffset(132)] internal uint NodeMinor;
    [FieldOffset(136)] internal uint DeviceMajor;
    [FieldOffset(140)] internal uint DeviceMinor;

    internal readonly int Type => Mode & TypeMask;

    internal readonly uint Permissions => Mode & PermissionMask;

    internal readonly bool IsDirectory => Type == Directory;

    internal readonly bool IsRegular => Type == Regular;

    internal readonly ulong Device => (ulong)DeviceMajor << 32 | DeviceMinor;

    /// <summary>The device that a device node stands for, as mknod takes it.</summary>
    internal readonly ulong Node => (ulong)(NodeMajor & 0xFFFFF000) << 32 | (ulong)(NodeMajor & 0xFFF) << 8 |
        (ulong)(NodeMinor & 0xFFFFFF00) << 12 | (NodeMinor & 0xFF);

    /// <summary>Nobody has changed the content since.</summary>
    internal readonly bool HasContentOf(in NodeStatus other) => Size == other.Size && Modified.Equals(other.Modified) && Inode == other.Inode && Device == other.Device;
}

/// <summary>struct statx_timestamp; also struct timespec, but for what lies behind the nanoseconds.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NodeTime : System.IEquatable<NodeTime>
{
    internal long Seconds;
    internal uint Nanoseconds;
    private readonly uint _padding;

    public readonly bool Equals(NodeTime other) => Seconds == other.Seconds && Nanoseconds == other.Nanoseconds;

    public override readonly bool Equals(object? other) => other is NodeTime time && Equals(time);

    public override readonly int GetHashCode() => System.HashCode.Combine(Seconds, Nanoseconds);
}
