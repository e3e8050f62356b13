import Networks

extension HRNetPose: PublishedModel {}
