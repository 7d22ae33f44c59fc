using System;
using System.Buffers.Text;
using System.Globalization;
using System.IO;
using Overlay.Metadata.Interop;

namespace Overlay.Metadata.Agent;

/// <summary>
/// Who may speak to the agent: processes of its own user, and descendants of one process (the launched command's root),
/// whatever user they have become.
/// </summary>
internal sealed unsafe class PeerCheck
{
    // Deeper than any sane process tree; a bound all the same.
    private const int MaxDepth = 4096, MaxAttempts = 3;

    private readonly uint _userId = ProcessCalls.EffectiveUserId();
    private readonly int _rootProcessId;

    /// <param name="rootProcessId">0: no process but those of the agent's user.</param>
    internal PeerCheck(int rootProcessId) => _rootProcessId = rootProcessId;

    /// <summary>Who was at the other end when the connection was made; false if the kernel does not tell.</summary>
    internal static bool TryIdentify(int socket, out PeerCredentials peer)
    {
        PeerCredentials found;
        uint length = (uint)sizeof(PeerCredentials);
        int result = SocketCalls.GetOption(
            socket, SocketCalls.SocketLevel, SocketCalls.OptionPeerCredentials, &found, &length);
        peer = found;
        return result == 0 && length == sizeof(PeerCredentials);
    }

    internal bool IsAllowed(PeerCredentials peer) =>
        peer.UserId == _userId || (_rootProcessId > 0 && peer.ProcessId > 0 && IsDescendant(peer.ProcessId));

    private bool IsDescendant(int processId)
    {
        // A parent that dies while its line is walked breaks it; its children have a new parent the next time.
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (LeadsToRoot(processId))
                return true;
        }
        return false;
    }

    private bool LeadsToRoot(int processId)
    {
        for (int depth = 0; depth < MaxDepth && processId > 0; depth++)
        {
            if (processId == _rootProcessId)
                return true;
            processId = ParentOf(processId);
        }
        return false;
    }

    /// <returns>The parent, or 0 if there is none or the process is gone.</returns>
    private static int ParentOf(int processId)
    {
        byte[] stat;
        try
        {
            stat = File.ReadAllBytes($"/proc/{processId.ToString(CultureInfo.InvariantCulture)}/stat");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
        return ParseParent(stat);
    }

    /// <summary>"pid (name) state ppid …"; the name may hold anything, so the last parenthesis counts.</summary>
    internal static int ParseParent(ReadOnlySpan<byte> stat)
    {
        int nameEnd = stat.LastIndexOf((byte)')');
        const int StateField = 4;    // ") S "
        if (nameEnd < 0 || nameEnd + StateField > stat.Length)
            return 0;
        return Utf8Parser.TryParse(stat[(nameEnd + StateField)..], out int parent, out _) ? parent : 0;
    }
}
