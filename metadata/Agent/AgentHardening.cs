using Overlay.Metadata.Interop;

namespace Overlay.Metadata.Agent;

/// <summary>For a process that is an agent: no core file and no debugger of the same user gets at its keys.</summary>
public static class AgentHardening
{
    /// <summary>Holds for this process and its forked children until they exec.</summary>
    public static void Apply()
    {
        if (ProcessCalls.Control(ProcessCalls.SetDumpable, 0, 0, 0, 0) < 0)
            throw Errno.Failure("turning core dumps off");
    }
}
