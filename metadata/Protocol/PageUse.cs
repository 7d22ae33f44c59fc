namespace Overlay.Metadata.Protocol;

/// <summary>What a page file is asked for.</summary>
public enum PageUse : byte
{
    /// <summary>To read and write in it, if there is one.</summary>
    View = AgentMessage.PagesView,

    /// <summary>To map it; it is made if there is none.</summary>
    Make = AgentMessage.PagesMake,

    /// <summary>To map it, if there is one.</summary>
    Map = AgentMessage.PagesMap,
}
