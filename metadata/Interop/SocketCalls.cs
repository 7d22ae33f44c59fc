using System.Runtime.InteropServices;

namespace Overlay.Metadata.Interop;

/// <summary>The socket calls of libc, as the kernel has them; errno is read with <see cref="Errno.Last"/>.</summary>
internal static unsafe partial class SocketCalls
{
    internal const int AddressFamilyUnix = 1;
    internal const int SequencedPackets = 5;
    internal const int CloseOnExec = 0x80000;

    internal const int SocketLevel = 1;
    internal const int OptionType = 3;
    internal const int OptionPeerCredentials = 17;
    internal const int OptionSendTimeout = 21;
    internal const int OptionDomain = 39;
    internal const int OptionPeerDescriptor = 77; // SO_PEERPIDFD, Linux 6.5
    internal const int RightsMessage = 1;

    internal const int DoNotWait = 0x40;
    internal const int NoSignal = 0x4000;
    internal const int CloseReceivedOnExec = 0x40000000;
    internal const int Truncated = 0x20;
    internal const int ControlTruncated = 0x08;

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    internal static partial int Socket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "socketpair", SetLastError = true)]
    internal static partial int SocketPair(int domain, int type, int protocol, int* pair);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    internal static partial int Bind(int descriptor, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)]
    internal static partial int Listen(int descriptor, int backlog);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    internal static partial int Connect(int descriptor, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    internal static partial int Accept(int descriptor, byte* address, uint* length, int flags);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    internal static partial int GetOption(int descriptor, int level, int name, void* value, uint* length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    internal static partial int SetOption(int descriptor, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    internal static partial nint Send(int descriptor, byte* data, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    internal static partial nint SendMessage(int descriptor, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    internal static partial nint ReceiveMessage(int descriptor, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    internal static partial int Poll(PollEntry* entries, nuint count, int timeoutMilliseconds);
}

/// <summary>struct pollfd</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollEntry
{
    internal const short Readable = 1;

    internal int Descriptor;
    internal short Wanted;
    internal short Ready;
}

/// <summary>struct ucred</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PeerCredentials
{
    internal int ProcessId;
    internal uint UserId;
    internal uint GroupId;
}

/// <summary>struct timeval</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimeValue
{
    internal long Seconds;
    internal long Microseconds;
}

/// <summary>struct iovec</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    internal byte* Data;
    internal nuint Length;
}

/// <summary>struct msghdr (the padding of the 64-bit layout is explicit)</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MessageHeader
{
    internal byte* Name;
    internal uint NameLength;
    private readonly uint _padding;
    internal IoVector* Vectors;
    internal nuint VectorCount;
    internal byte* Control;
    internal nuint ControlLength;
    internal int Flags;
    private readonly int _tailPadding;
}

/// <summary>struct cmsghdr; the data follows at byte 16</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ControlHeader
{
    internal const int Size = 16;

    internal nuint Length;
    internal int Level;
    internal int Type;
}
